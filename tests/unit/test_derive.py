"""The bench of edited copies: its parts work, and what it calls a false match is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.derive.corpus import HERE, few, photographs
from bench.derive.edits import EDITS, upload
from bench.derive.methods import METHODS, Bank, answers, known
from bench.derive.negatives import KINDS, hard
from bench.derive.run import LEFT_OUT, SAME, UNRELATED, Entry, relation
from reclaim.signals import MATCH_DISTANCE


def test_every_photograph_has_its_licence_and_a_scene_lies_in_one_part() -> None:
    every = photographs()
    assert {photograph.path.name for photograph in every if photograph.path.parent == HERE} == {
        path.name for path in HERE.glob("*.jpg")
    }
    assert len(every) >= 200
    parts: dict[str, set[str]] = {}
    for photograph in every:
        if photograph.scene:
            parts.setdefault(photograph.scene, set()).add(photograph.part)
    assert all(len(part) == 1 for part in parts.values())
    with (HERE / "pictures.tsv").open(encoding="utf-8") as file:
        assert all(cell for row in file for number, cell in enumerate(row.rstrip("\n").split("\t")) if number != 1)


def test_an_edit_is_the_same_every_time_and_says_whom_it_shows() -> None:
    photograph, *others = few(photographs(), 4)
    made = upload(EDITS["collage2x2"], photograph, others)
    assert made == upload(EDITS["collage2x2"], photograph, others)
    assert len(made.shows) == 3
    assert photograph.name not in made.shows


def test_each_method_finds_a_turned_copy_as_far_as_it_can_and_nothing_else() -> None:
    chosen = few([photograph for photograph in photographs() if photograph.part == "open"], 4)
    bank = Bank([known(photograph.path.read_bytes()) for photograph in chosen])
    answer = answers(upload(EDITS["flip"], chosen[1], chosen).data, bank, METHODS)
    assert answer.distances["pdq"].min() > MATCH_DISTANCE
    for method, threshold in (("turns", MATCH_DISTANCE), ("views", MATCH_DISTANCE), ("parts", -8)):
        assert np.flatnonzero(answer.distances[method] <= threshold).tolist() == [1], method
    assert set(answer.distances) >= set(METHODS)
    assert answer.codes is not None
    assert answer.codes.shape[1] == 32


def test_hard_negatives_of_every_kind_are_made() -> None:
    alone = [photograph for photograph in photographs() if photograph.part == "open"]
    made = list(hard("open", few(alone, 6), 2))
    assert {one.kind for one in made} == set(KINDS) - {"burst"}


PICTURE = Entry("a", "photograph", "a", frozenset({"a"}), frozenset({"street"}))


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"of": "a", "shows": frozenset({"a", "b"})}, SAME),
        ({"of": "b", "shows": frozenset({"b", "a"})}, LEFT_OUT),
        ({"of": "b", "shows": frozenset({"b"}), "scenes": frozenset()}, UNRELATED),
        ({"of": "b", "shows": frozenset({"b"})}, "burst"),
        ({"of": "", "shows": frozenset({"b"}), "behind": "a", "kind": "background"}, "background"),
    ],
)
def test_a_pair_is_a_copy_or_left_out_or_must_not_match(changed: dict[str, object], what: str) -> None:
    assert relation(replace(PICTURE, **changed), PICTURE) == what  # type: ignore[arg-type]
