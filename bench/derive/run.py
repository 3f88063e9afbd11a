"""The measuring: uploads of a part of the corpus against the bank, in two processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.derive.chrome import HELD
from bench.derive.corpus import TESTS, Part, Photograph, few, photographs
from bench.derive.edits import EDITS, Edit, upload
from bench.derive.methods import Answer, Bank, Bits, Distances, Known, answers, known
from bench.derive.negatives import KINDS, Hard, hard

PROCESSES = 2
LEARNT_ON = 36
"""Open photographs that thresholds are learnt on."""

SAME, UNRELATED, LEFT_OUT = "same", "unrelated", "left out"
"""What a pair is, if it is none of `negatives.KINDS`."""
_RELATIONS = (SAME, UNRELATED, LEFT_OUT, *KINDS)

Got = TypeVar("Got")


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture of the bank, or an upload, as far as it says which pairs are what."""

    name: str
    kind: str
    """``photograph``, or one of `negatives.KINDS`."""
    of: str
    """The photograph that it is or is an edit of; empty for a hard negative."""
    shows: frozenset[str]
    """All photographs of which something is in it."""
    scenes: frozenset[str]
    behind: str = ""
    edit: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """Every upload of a part against every picture of the bank."""

    uploads: list[Entry]
    relations: npt.NDArray[np.int8]
    """Uploads x pictures: the number of the relation."""
    distances: dict[str, Distances]
    """By method, uploads x pictures."""
    times: list[dict[str, float]]
    codes: list[Bits]
    """What stage one looks up of each upload, n x 32."""

    def pairs(self, relation: str) -> npt.NDArray[np.bool_]:
        """Which pairs are that."""
        those: npt.NDArray[np.bool_] = self.relations == _RELATIONS.index(relation)
        return those

    def false(self, method: str, threshold: int, relation: str) -> int:
        """How many pairs of that relation the method calls the same."""
        return int(np.count_nonzero(self.distances[method][self.pairs(relation)] <= threshold))

    def nearest(self, method: str, relations: Iterable[str]) -> int:
        """The distance of the nearest pair of these relations."""
        found = [self.distances[method][self.pairs(relation)] for relation in relations]
        return min((int(distances.min()) for distances in found if len(distances)), default=1000)

    def own(self, method: str) -> npt.NDArray[np.int16]:
        """Of each edited copy the distance to its original; of hard negatives, which have none, as if very far."""
        same = self.pairs(SAME)
        nearest: npt.NDArray[np.int16] = np.where(same, self.distances[method], 1000).min(axis=1).astype(np.int16)
        return nearest


@dataclass(frozen=True, slots=True)
class Task:
    """One upload to be made and answered: an edit of a photograph, or a hard negative."""

    methods: tuple[str, ...]
    edit: str = ""
    photograph: str = ""
    hard: Hard | None = None


def relation(upload: Entry, picture: Entry) -> str:
    """What the pair of an upload and a picture of the bank is."""
    if picture.kind == "photograph" and upload.of == picture.of and upload.of:
        return SAME
    if upload.shows & picture.shows:
        return LEFT_OUT
    if upload.behind in {picture.behind, *picture.shows} - {""} or picture.behind in upload.shows:
        return "background"
    if upload.scenes & picture.scenes:
        return "burst"
    if picture.kind in (upload.kind, _AROUND.get(upload.edit)) and picture.kind != "photograph":
        return picture.kind
    return UNRELATED


# What an edit lays around a photograph, as the kind of the known pictures that have the same around them.
_AROUND = {
    edit.name: kind
    for edit in EDITS.values()
    for kind, mark in (("screenshot", "screenshot"), ("meme", "caption"))
    if mark in edit.name
}


_bank: Bank | None = None
_photographs: dict[str, Photograph] = {}


def _begin(pictures: list[Known]) -> None:
    global _bank
    _bank = Bank(pictures)


def _known(data: bytes) -> Known:
    return known(data)


def _answered(task: Task) -> tuple[Entry, Answer]:
    if _bank is None:
        raise RuntimeError("no bank")
    entry, data = _made(task)
    return entry, answers(data, _bank, task.methods)


def _made(task: Task) -> tuple[Entry, bytes]:
    if task.hard is not None:
        return _entry(task.hard), task.hard.data
    edit = EDITS[task.edit]
    others = [photograph for photograph in _photographs.values() if photograph.part == "open"]
    made = upload(edit, _photographs[task.photograph], others)
    shows = frozenset({made.of, *made.shows})
    name = f"{made.edit} {made.of}"
    return Entry(name, "photograph", made.of, shows, _scenes_of(shows), "", edit.name, edit.group), made.data


def _scenes_of(shows: frozenset[str]) -> frozenset[str]:
    return frozenset(_photographs[name].scene for name in shows if name in _photographs) - {""}


def _entry(hard: Hard | Photograph) -> Entry:
    if isinstance(hard, Photograph):
        shows = frozenset({hard.name})
        return Entry(hard.name, "photograph", hard.name, shows, _scenes_of(shows))
    shows = frozenset(hard.shows)
    behind = frozenset({hard.behind} - {""})
    return Entry(hard.name, hard.kind, "", shows, _scenes_of(shows | behind), hard.behind)


class Measuring:
    """The bank of one run, and what is measured against it. Used as a context: it holds processes."""

    def __init__(self, pictures: int | None = None, *, held: bool = True) -> None:
        """Of so many photographs of a part at most, or of all."""
        every = photographs()
        _photographs.update({photograph.name: photograph for photograph in every})
        by_part: dict[Part, list[Photograph]] = {
            part: [photograph for photograph in every if photograph.part == part] for part in ("open", "held")
        }
        around = [photograph for photograph in every if photograph.path.parent == TESTS]
        for photograph in around:
            by_part["open"].remove(photograph)
        self.photographs: dict[Part, list[Photograph]] = {
            "open": few(by_part["open"], pictures or LEARNT_ON),
            "held": few(by_part["held"], pictures or len(every)) if held else [],
        }
        of_each = 12 if pictures is None else max(3, min(12, pictures // 3))
        parts = [part for part in self.photographs if self.photographs[part]]
        self.hard: dict[Part, list[Hard]] = {part: list(hard(part, self.photographs[part], of_each)) for part in parts}
        known = every if pictures is None and held else [*self.photographs["open"], *self.photographs["held"]]
        self.bank: list[Photograph | Hard] = [
            *known,
            *(one for part in parts for one in hard(part, around, of_each, known=True)),
        ]
        self.entries = [_entry(one) for one in self.bank]
        self.console = Console(stderr=True)

    def __enter__(self) -> Measuring:
        files = [one.data if isinstance(one, Hard) else one.path.read_bytes() for one in self.bank]
        context = multiprocessing.get_context("fork")
        with context.Pool(PROCESSES) as pool:
            self.known = self._all(pool.imap(_known, files, 4), "the bank", len(files))
        self.pool = context.Pool(PROCESSES, _begin, (self.known,))
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.terminate()
        self.pool.join()

    def _all(self, answers: Iterable[Got], what: str, count: int) -> list[Got]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            return list(progress.track(answers, total=count, description=what))

    def measure(
        self,
        part: Part,
        methods: Sequence[str],
        *,
        wanted: Callable[[Edit], bool] = lambda _: True,
        pictures: int | None = None,
    ) -> Measured:
        """Every wanted edit of the photographs of a part, or so many of them, and its hard negatives by some methods.

        No edit that shows a held-out app is in the open part.
        """
        edits = [edit.name for edit in EDITS.values() if wanted(edit) and (part == "held" or not shows_held_out(edit))]
        of = few(self.photographs[part], pictures or len(self.photographs[part]))
        tasks = [Task(tuple(methods), edit, photograph.name) for edit in edits for photograph in of]
        tasks += [Task(tuple(methods), hard=one) for one in self.hard[part]]
        found = self._all(self.pool.imap(_answered, tasks, 4), f"uploads, {part} part", len(tasks))
        relations = np.array(
            [[_RELATIONS.index(relation(entry, picture)) for picture in self.entries] for entry, _ in found], np.int8
        )
        return Measured(
            [entry for entry, _ in found],
            relations,
            {method: np.stack([answer.distances[method] for _, answer in found]) for method in found[0][1].distances},
            [answer.times for _, answer in found],
            [answer.codes for _, answer in found if answer.codes is not None],
        )


def shows_held_out(edit: Edit) -> bool:
    """Whether an app's screen is in it that is only measured."""
    return any(name in edit.name for name in HELD) or edit.name == "crop20+screenshot"
