"""A process that reads one part of a snapshot and writes its rows to standard output, in bounded memory.

    python unpack.py FILE ROWS

A part is a Parquet file, and what its pages take when they are decompressed is its maker's word. So it is read in a
process that may not have more memory than ``MOST_MEMORY``; one that wants more ends, and nothing else does.
Writes an Arrow stream in ``SCHEMA``. Ends with ``NOT_A_PART`` where the file is not what it should be.
"""

from __future__ import annotations

import resource
import sys

import pyarrow as pa
import pyarrow.parquet as pq

MOST_MEMORY = 1024 * 2**20
"""Bytes, besides what the program itself maps."""
MOST_SECONDS = 900
"""Of processor time."""
ROWS_AT_ONCE = 10_000
NOT_A_PART = 3

SCHEMA = pa.schema(
    [
        ("type", pa.string()),
        ("value", pa.binary()),
        ("frames", pa.list_(pa.string())),
        ("quality", pa.uint8()),
        ("labels", pa.list_(pa.string())),
        ("provenance", pa.list_(pa.string())),
        ("trust", pa.uint8()),
        ("action", pa.string()),
    ]
)


def main(path: str, rows: int) -> int:
    """Unpack; the exit code."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    try:
        file = pq.ParquetFile(path, memory_map=False)
        if file.metadata.num_rows != rows:
            return NOT_A_PART
        with pa.ipc.new_stream(sys.stdout.buffer, SCHEMA) as out:
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=SCHEMA.names, use_threads=False):
                out.write_batch(batch.select(SCHEMA.names).cast(SCHEMA))
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError):
        return NOT_A_PART
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
