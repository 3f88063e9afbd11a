"""A crew of limited processes that threads share."""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from reclaim.signals import DecoderStopped, EmptyFile, NotAPicture, PictureTooLarge, Signal, SignalError
from reclaim.signals.crew import Crew
from reclaim.signals.many import _signal_of
from reclaim.signals.views import read_views, views_crew

from .test_formats import PHOTOS


def obey(order: bytes) -> dict[str, Any]:
    """Do as the task says: an honest answer, or what a hostile file might make of a decoder."""
    if order == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif order == b"hang":
        time.sleep(600)
    elif order == b"hog":
        bytearray(64 * 2**30)
    elif order == b"babble":
        return {"length": "x" * 100_000}
    elif order == b"refuse":
        raise EmptyFile
    return {"length": len(order)}


def framed(answer: bytes) -> bytes:
    """As it goes over the line."""
    return struct.pack("!Q", len(answer)) + answer


ANSWERS = {
    "a length and no more": struct.pack("!Q", 100),
    "half a length": b"\0\0\0",
    "a length beyond all memory": struct.pack("!Q", 2**63),
    "deeper than Python goes": framed(b"[" * 4000),
    "many more things than there is text": framed(b"[" + b"{}," * 1200 + b"{}]"),
    "endless quality": framed(b'{"type":"pdq","quality":Infinity}'),
    "a number for a value": framed(b'{"type":"md5","value":5}'),
    "nothing for a quality": framed(b'{"type":"pdq","quality":null}'),
    "no fields": framed(b"[]"),
    "a number for fields": framed(b"5"),
    "no text": framed(b"\xff\xfe"),
    "nothing": framed(b""),
}
"""What a decoder that its file has taken over may send."""


def be_taken_over(order: bytes) -> dict[str, Any]:
    """Send what the task names on the line to the asker, past everything that is ours, and do nothing any more."""
    if order != b"four":
        frame = sys._getframe()
        while "line" not in frame.f_locals and frame.f_back:
            frame = frame.f_back
        line: socket.socket = frame.f_locals["line"]
        line.sendall(ANSWERS[order.decode()])
        time.sleep(600)
    return {"type": "md5", "value": f"{len(order):032x}"}


def length_of(fields: dict[str, Any]) -> int:
    """The length; TypeError or KeyError where it is none."""
    return int(fields["length"] + 0)


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew[int]]:
    made = Crew(obey, length_of, count=2)
    yield made
    made.end()


def test_the_eight_turns_come_back_as_from_one_process() -> None:
    pictures = views_crew(1, niceness=1)
    try:
        assert pictures.ask(PHOTOS[0].read_bytes(), 60) == read_views(PHOTOS[0])
        assert type(pictures.ask(b"no picture", 60)) is NotAPicture
        assert pictures.ask(PHOTOS[1].read_bytes(), 60) == read_views(PHOTOS[1])
    finally:
        pictures.end()


@pytest.mark.parametrize(
    ("order", "kind"),
    [(b"die", DecoderStopped), (b"hog", PictureTooLarge), (b"babble", DecoderStopped), (b"refuse", EmptyFile)],
)
def test_a_bad_task_costs_its_own_answer(crew: Crew[int], order: bytes, kind: type[SignalError]) -> None:
    assert type(crew.ask(order, 60)) is kind
    assert [crew.ask(b"four", 60) for _ in range(3)] == [4, 4, 4]


def test_a_task_that_never_ends_is_given_up_while_another_thread_is_answered(crew: Crew[int]) -> None:
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(crew.ask, b"hang", 1.0)
        assert crew.ask(b"four", 60) == 4
        assert type(hanging.result()) is DecoderStopped


def test_more_threads_than_processes_are_all_answered(crew: Crew[int]) -> None:
    orders = [b"x" * length for length in range(1, 60)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda order: crew.ask(order, 60), orders)) == [len(order) for order in orders]


def test_what_is_done_meanwhile_is_done_and_its_error_does_not_mix_up_answers(crew: Crew[int]) -> None:
    done: list[int] = []
    assert crew.ask(b"four", 60, lambda: done.append(1)) == 4
    assert done == [1]

    def fail() -> None:
        raise ValueError("meanwhile")

    with pytest.raises(ValueError, match="meanwhile"):
        crew.ask(b"seven..", 60, fail)
    assert [crew.ask(b"four", 60) for _ in range(3)] == [4, 4, 4]


def test_a_task_of_many_megabytes_arrives_whole(crew: Crew[int]) -> None:
    assert crew.ask(bytes(40 * 2**20), 60) == 40 * 2**20


@pytest.fixture
def prey() -> Iterator[Crew[Signal]]:
    made = Crew(be_taken_over, _signal_of, count=1)
    yield made
    made.end()


def within(seconds: float, ask: Callable[[], Any]) -> Any:
    """What it returns or raises; a failure rather than a hanging test if it does neither in time."""
    got: list[Any] = []

    def attempt() -> None:
        try:
            got.append(ask())
        except BaseException as error:
            got.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    assert got, "it never came back"
    return got[0]


@pytest.mark.parametrize("sent", ANSWERS)
def test_a_decoder_that_was_taken_over_costs_one_answer_whatever_it_sends(prey: Crew[Signal], sent: str) -> None:
    assert type(within(60, lambda: prey.ask(sent.encode(), 30))) is DecoderStopped
    assert within(60, lambda: prey.ask(b"four", 60)) == Signal("md5", f"{4:032x}")


def test_an_answer_that_would_be_a_thousand_times_as_long_in_memory_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reclaim.signals.crew._MOST_VALUES", 1000)
    monkeypatch.setattr("json.loads", lambda _: pytest.fail("it was read"))
    made = Crew(be_taken_over, _signal_of, count=1)
    try:
        assert type(made.ask(b"many more things than there is text", 30)) is DecoderStopped
    finally:
        made.end()


def test_a_decoder_that_reads_no_more_is_given_up_when_its_time_is_over(prey: Crew[Signal]) -> None:
    [decoder] = prey._all
    os.kill(decoder.process.pid or 0, signal.SIGSTOP)
    assert type(within(60, lambda: prey.ask(bytes(4 * 2**20), 0.5))) is DecoderStopped
    assert within(60, lambda: prey.ask(b"four", 60)) == Signal("md5", f"{4:032x}")
