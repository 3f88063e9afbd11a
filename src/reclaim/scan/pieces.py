"""Shards cut into the pieces that workers get, with the files' bytes where they can only be had in order."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from reclaim.scan.crew import Piece
from reclaim.scan.faults import DamagedArchive, code_of
from reclaim.scan.processes import streamed
from reclaim.scan.schema import DATA
from reclaim.scan.sources.base import Source

Shards = Iterator[tuple[int, pa.RecordBatch]]


def pieces_of(source: Source, shards: Shards, once_more: Shards, size: int) -> Iterator[Piece]:
    """The pieces of these shards, each of up to ``size`` units.

    ``once_more`` are the same shards: a source that is read in order has to know beforehand which members are wanted.
    """
    if source.streamed:
        yield from _streamed_pieces(source, shards, once_more)
        return
    for shard, units in shards:
        for first in range(0, units.num_rows, size):
            yield Piece(shard, first, units.slice(first, size))


def _streamed_pieces(source: Source, shards: Shards, once_more: Shards) -> Iterator[Piece]:
    wanted = []
    for _, units in once_more:
        members = pc.filter(units.column("part"), pc.greater_equal(units.column("part"), 0))
        if len(members):
            wanted.append((members[0].as_py(), members[-1].as_py() + 1))
    stream = streamed(source, wanted) if wanted else iter(())
    for shard, units in shards:
        first = 0
        while first < units.num_rows:
            here = units.slice(first)
            if here.column("part")[0].as_py() < 0:
                data = pa.nulls(1, pa.binary())
                fault = here.column("fault").slice(0, 1)
            elif (batch := next(stream, None)) is not None:
                data, fault = batch.column("data"), batch.column("fault")
            else:  # it was longer when it was listed
                data = pa.nulls(here.num_rows, pa.binary())
                fault = pc.fill_null(here.column("fault"), code_of(DamagedArchive))
            here = here.slice(0, len(data))
            here = here.set_column(here.schema.get_field_index("fault"), "fault", fault).append_column(DATA, data)
            yield Piece(shard, first, here)
            first += here.num_rows
