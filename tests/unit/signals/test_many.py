"""Many files in processes of their own."""

from __future__ import annotations

import os
import signal
import time

import pytest

from reclaim.signals import (
    DecoderStopped,
    NotAPicture,
    PictureTooLarge,
    Signal,
    SignalError,
    UnreadableFile,
    md5_of,
    pdq_signal,
    signals_of,
)

from .test_formats import PHOTOS


def obey(path):
    """Do as the file says: an honest answer, or what a hostile file might make of a decoder."""
    order = path.read_text()
    if order == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif order == "exit":
        os._exit(0)
    elif order == "hang":
        time.sleep(600)
    elif order == "hog":
        bytearray(64 * 2**30)
    elif order == "surprise":
        raise KeyError(order)
    elif order == "lie":
        return Signal("pdq", "not a value", 100)
    return Signal("md5", md5_of(path))


@pytest.fixture
def orders(tmp_path):
    def write(*texts):
        paths = [tmp_path / f"{number:03}" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        return paths

    return write


def test_answers_come_in_the_order_of_the_files_and_equal_those_of_one_process():
    assert list(signals_of(PHOTOS, pdq_signal, jobs=3)) == [pdq_signal(photo) for photo in PHOTOS]


def test_a_bad_file_gets_its_error_while_the_rest_goes_on(tmp_path):
    missing, text = tmp_path / "missing", tmp_path / "text"
    text.write_text("a letter")
    answers = list(signals_of([missing, PHOTOS[0], text, PHOTOS[1]], pdq_signal, jobs=2))
    assert [type(answer) for answer in answers] == [UnreadableFile, Signal, NotAPicture, Signal]


def test_a_file_that_kills_its_process_costs_one_answer(orders):
    paths = orders("die", "a", "exit", "b", "die", "die", "c")
    answers = list(signals_of(paths, obey, jobs=2))
    good = [type(answer) is Signal for answer in answers]
    assert good == [False, True, False, True, False, False, True]
    assert {type(answer) for answer in answers} == {Signal, DecoderStopped}
    assert answers[6].value == md5_of(paths[6])


def test_a_file_that_never_ends_is_given_up(orders):
    answers = list(signals_of(orders("hang", "a", "b"), obey, jobs=1, seconds=2))
    assert [type(answer) for answer in answers] == [DecoderStopped, Signal, Signal]


def test_a_process_cannot_take_all_memory_and_a_surprise_is_an_error(orders):
    answers = list(signals_of(orders("hog", "surprise", "a"), obey, jobs=1))
    assert [type(answer) for answer in answers] == [PictureTooLarge, SignalError, Signal]


def test_an_answer_that_is_no_signal_is_not_believed(orders):
    assert [type(answer) for answer in signals_of(orders("lie", "a"), obey, jobs=1)] == [DecoderStopped, Signal]


def test_no_files_give_no_answers():
    assert list(signals_of([], pdq_signal)) == []


def test_a_reader_who_stops_early_leaves_no_process_behind(orders):
    before = {child.pid for child in children()}
    answers = signals_of(orders("a", "hang", "hang"), obey, jobs=3)
    assert isinstance(next(answers), Signal)
    assert {child.pid for child in children()} - before
    answers.close()
    assert {child.pid for child in children()} <= before


def children():
    """The processes multiprocessing knows to be running."""
    import multiprocessing

    return multiprocessing.active_children()
