"""A writer killed at any moment loses nothing it had reported, and leaves no file that a reader refuses."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from reclaim.index import HammingIndex, StoredIndex, create_stored
from tests.unit.index.banks import uniform

CODES = uniform(np.random.default_rng(71))
KILLS = 20

WRITER = """
import sys
import numpy as np
from reclaim.index import StoredIndex, pair
pair.COMPACT_LEAST, pair.COMPACT_SHARE = 30, 10**9
codes = np.random.default_rng(72).integers(0, 256, (500, 32), np.uint8)
with StoredIndex(sys.argv[1], writable=True) as writer:
    turn = int(sys.argv[2])
    for number in range(100_000):
        id_ = 10**6 * turn + number
        writer.change(added=[(id_, codes[id_ % 500])], removed=[id_ - 10] if id_ - 10 in writer else [])
        print(id_, flush=True)
        if number % 25 == 24:
            writer.compact()
"""


def test_what_a_killed_writer_had_reported_is_there_and_every_reader_can_follow(tmp_path: Path) -> None:
    path = tmp_path / "pdq.index"
    create_stored(path, HammingIndex(CODES, np.arange(len(CODES))))
    moments = random.Random(73)
    with StoredIndex(path) as follower:
        for turn in range(1, KILLS + 1):
            with subprocess.Popen(
                [sys.executable, "-c", WRITER, str(path), str(turn)],
                stdout=subprocess.PIPE,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            ) as process:
                assert process.stdout is not None
                told = [int(process.stdout.readline()) for _ in range(moments.randrange(1, 60))]
                time.sleep(moments.random() * 0.03)
                process.kill()
                told += [int(line) for line in process.stdout.read().split(b"\n")[:-1]]
            follower.refresh()
            with StoredIndex(path) as reader:
                assert len(reader) == len(follower)
                for index in (reader, follower):
                    assert all(id_ in index for id_ in told[-9:])
                    assert not any(id_ in index for id_ in told[:-11])
    with StoredIndex(path, writable=True) as writer:
        assert len(writer) >= len(CODES)
    left = [entry.name for entry in tmp_path.iterdir()]
    assert len(left) == 3, left
