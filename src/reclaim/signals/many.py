"""Signals of many files, in other processes, so that a file which kills its decoder costs one answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from reclaim.signals.crew import LONGEST_ANSWER, Answer, Decoder, Fields, usable_processors, wait_for
from reclaim.signals.crew import Work as CrewWork
from reclaim.signals.errors import SignalError
from reclaim.signals.values import Signal, parse_md5, parse_pdq

SECONDS_PER_FILE = 120.0
"""A file still being read after this is given up, and its process ended."""

Work = Callable[[Path], Signal]


def signals_of(
    paths: Sequence[Path], work: Work, *, jobs: int | None = None, seconds: float = SECONDS_PER_FILE
) -> Iterator[Signal | SignalError]:
    """`work` on each path in up to `jobs` processes (by default one a processor); answers in order.

    `work` is a function a new process can import, such as `pdq_signal`. A file's error is its answer. For a
    process that dies or exceeds `seconds` the answer is DecoderStopped, and another takes its place.
    """
    return answers_of(paths, partial(_fields_of, work), _signal_of, jobs=jobs, seconds=seconds)


def answers_of(
    paths: Sequence[Path],
    work: CrewWork,
    read: Callable[[Fields], Answer],
    *,
    jobs: int | None = None,
    seconds: float,
    longest_answer: int = LONGEST_ANSWER,
) -> Iterator[Answer | SignalError]:
    """As `signals_of`, of whatever `work` answers and `read` makes of it; see `Decoder`. The paths go as bytes."""
    count = min(jobs or usable_processors(), len(paths))
    crew = [Decoder(work, read, longest_answer=longest_answer) for _ in range(count)]
    waiting = iter(enumerate(paths))
    in_hand: dict[Decoder[Answer], int] = {}
    answers: dict[int, Answer | SignalError] = {}
    due = 0

    def hand_over(decoder: Decoder[Answer]) -> None:
        if task := next(waiting, None):
            in_hand[decoder], path = task
            decoder.begin(os.fsencode(path), seconds)

    try:
        for decoder in crew:
            hand_over(decoder)
        while due < len(paths):
            for decoder in wait_for([decoder for decoder in crew if decoder.busy]):
                answers[in_hand[decoder]] = decoder.answer()
                hand_over(decoder)
            while due in answers:
                yield answers.pop(due)
                due += 1
    finally:
        for decoder in crew:
            decoder.end()


def _fields_of(work: Work, path: bytes) -> Fields:
    found = work(Path(os.fsdecode(path)))
    return {"type": found.type, "value": found.value, "quality": found.quality}


def _signal_of(fields: Fields) -> Signal:
    """The signal; ValueError, TypeError or KeyError where it is none."""
    if fields["type"] == "md5":
        return Signal("md5", parse_md5(fields["value"]))
    quality = int(fields["quality"])
    if fields["type"] != "pdq" or not 0 <= quality <= 100:
        raise ValueError
    return Signal("pdq", parse_pdq(fields["value"]), quality)
