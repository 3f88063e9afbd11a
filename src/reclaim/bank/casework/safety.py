"""Safety questions as data: what is asked, what to do for each answer, and what the answers come to."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from reclaim.bank.casework.models import Risk
from reclaim.bank.directory.rows import Kind

_ORDER = (Risk.NONE, Risk.WATCH, Risk.URGENT)


@dataclass(frozen=True)
class Answer:
    """One answer, what to do for it, and which kinds of services are shown beside."""

    key: str
    text: str
    risk: Risk = Risk.NONE
    do: tuple[str, ...] = ()
    lines: tuple[Kind, ...] = ()


@dataclass(frozen=True)
class Question:
    """One question and its answers, in the order in which they are offered."""

    key: str
    text: str
    answers: tuple[Answer, ...]
    why: str = ""

    def answer(self, key: str) -> Answer | None:
        """The answer of this key."""
        return next((answer for answer in self.answers if answer.key == key), None)


@lru_cache
def questions() -> tuple[Question, ...]:
    """The questions of ``data/safety.toml``, in the order in which they are asked."""
    text = files(__package__).joinpath("data", "safety.toml").read_text(encoding="utf-8")
    return tuple(
        Question(
            row["key"],
            row["text"],
            tuple(
                Answer(
                    answer["key"],
                    answer["text"],
                    Risk(answer.get("risk", Risk.NONE)),
                    tuple(answer.get("do", ())),
                    tuple(Kind(kind) for kind in answer.get("lines", ())),
                )
                for answer in row["answer"]
            ),
            row.get("why", ""),
        )
        for row in tomllib.loads(text)["question"]
    )


def given(answers: Mapping[str, str]) -> list[tuple[Question, Answer]]:
    """What was answered, in the order of the questions; what the file no longer asks is left out."""
    found = ((question, question.answer(answers.get(question.key, ""))) for question in questions())
    return [(question, answer) for question, answer in found if answer is not None]


def risk_of(answers: Mapping[str, str]) -> Risk:
    """The highest risk of the answers."""
    return max((answer.risk for _, answer in given(answers)), key=_ORDER.index, default=Risk.NONE)
