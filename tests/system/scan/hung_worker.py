"""A scan with one worker, held up by its file for ever. Run by test_kill, which kills it."""

from __future__ import annotations

import sys
from pathlib import Path

from reclaim.scan.crew import Crew, Piece
from reclaim.scan.indexes import identity_of
from reclaim.scan.sources.base import Unit, units_batch
from reclaim.scan.worker import Spec
from tests.unit.scan.test_crew import Obeying


def main() -> None:
    """Index, and the folder where the worker says that it hangs."""
    index, folder = Path(sys.argv[1]), Path(sys.argv[2])
    crew = Crew(Spec(Obeying(folder), index, identity_of(index), 1, 31), jobs=1, seconds=600)
    list(crew.answers(iter([Piece(0, 0, units_batch([Unit(b"hang-1")]))])))


if __name__ == "__main__":
    main()
