"""From a picture or a signal to what to do."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from reclaim.index import ExactIndex, HammingIndex, StoredIndex, create_stored
from reclaim.matching import Action, Indexes, Policy, decide
from reclaim.matching.decisions import decide_on_codes, decide_on_md5, decide_on_pdq
from reclaim.matching.relation import Relation
from reclaim.signals import NotAPicture, fingerprint, md5_of

PHOTOS = Path(__file__).parents[2] / "photos"
ASTRONAUT, CAT, CLOCK = (PHOTOS / f"{name}.jpg" for name in ("astronaut", "cat", "blurred-clock"))
KNOWN_FILE = b"a film that this project cannot decode"


def near(value: str, bits: int) -> str:
    """The value with so many bits flipped."""
    mask = sum(1 << bit for bit in range(0, 256, 256 // bits)[:bits]) if bits else 0
    return f"{int(value, 16) ^ mask:064x}"


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexes]:
    """The astronaut under 1 and 2, the clock under 3; the cat's file under 10, a film's under 11."""
    folder = tmp_path_factory.mktemp("indexes")
    values = [fingerprint(ASTRONAUT).pdq, near(fingerprint(ASTRONAUT).pdq, 20), fingerprint(CLOCK).pdq]
    codes = np.frombuffer(bytes.fromhex("".join(values)), np.uint8).reshape(-1, 32)
    create_stored(folder / "pdq.index", HammingIndex(codes, [1, 2, 3]))
    create_stored(folder / "md5.index", HammingIndex(mode="compact"))
    with StoredIndex(folder / "md5.index", writable=True) as writer:
        ExactIndex(writer).add(10, bytes.fromhex(md5_of(CAT)))
        ExactIndex(writer).add(11, bytes.fromhex(md5_of(KNOWN_FILE)))
    with StoredIndex(folder / "pdq.index") as pdq, StoredIndex(folder / "md5.index") as md5:
        yield Indexes(pdq, ExactIndex(md5))


def test_a_known_picture_is_to_be_held_until_a_person_has_decided(indexes: Indexes) -> None:
    decision = decide(ASTRONAUT, indexes)
    assert decision.action is Action.HOLD
    assert [(match.type, match.id, match.distance, match.relation) for match in decision.matches] == [
        ("pdq", 1, 0, Relation(how="same")),
        ("pdq", 2, 20, Relation(how="same")),
    ]
    assert decision.matches[0].value == fingerprint(ASTRONAUT).pdq
    assert decision.matches[0].quality == decision.quality == fingerprint(ASTRONAUT).quality
    assert decision.searched == ["pdq", "md5"]
    assert not decision.poor_quality
    assert "until a person has decided" in decision.reason


def test_bytes_and_path_of_a_picture_give_the_same_decision(indexes: Indexes) -> None:
    assert decide(ASTRONAUT.read_bytes(), indexes) == decide(ASTRONAUT, indexes)


def test_a_mirrored_copy_is_found_at_the_turn_that_undoes_it_and_is_not_held(indexes: Indexes) -> None:
    out = io.BytesIO()
    with Image.open(ASTRONAUT) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(out, "JPEG", quality=90)
    decision = decide(out.getvalue(), indexes)
    assert decision.action is Action.REVIEW
    assert (decision.matches[0].id, decision.matches[0].relation) == (1, Relation(how="turned", turn="flipy"))
    assert "Mirrored left to right." in decision.reason


def test_nothing_found_means_nothing_to_do(indexes: Indexes) -> None:
    decision = decide(PHOTOS / "galaxies.jpg", indexes)
    assert (decision.action, decision.matches, decision.reason) == (Action.NONE, [], "Nothing was found.")


def test_a_known_file_is_held_even_where_its_looks_are_unknown(indexes: Indexes) -> None:
    decision = decide(CAT, indexes)
    assert decision.action is Action.HOLD
    assert [(match.type, match.id, match.value) for match in decision.matches] == [("md5", 10, md5_of(CAT))]
    assert "byte for byte" in decision.reason


def test_a_known_file_is_found_even_if_nobody_can_decode_it(indexes: Indexes) -> None:
    decision = decide(KNOWN_FILE, indexes)
    assert decision.action is Action.HOLD
    assert [match.id for match in decision.matches] == [11]
    assert decision.searched == ["md5"], "it must not say that it was looked up by its looks"


def test_an_unknown_file_that_nobody_can_decode_is_an_error_and_not_clear(indexes: Indexes) -> None:
    with pytest.raises(NotAPicture):
        decide(b"another such film", indexes)


def test_a_match_of_poor_quality_is_only_reviewed_and_says_so(indexes: Indexes) -> None:
    decision = decide(CLOCK, indexes)
    assert decision.action is Action.REVIEW
    assert decision.poor_quality
    assert [match.id for match in decision.matches] == [3]
    assert "too little detail" in decision.reason


def test_without_an_index_of_a_type_the_decision_says_what_was_not_searched(indexes: Indexes) -> None:
    assert decide(CAT, Indexes(pdq=indexes.pdq)).searched == ["pdq"]
    assert decide(CAT, Indexes(md5=indexes.md5)).searched == ["md5"]


def test_an_index_with_nothing_in_it_was_searched_all_the_same(tmp_path: Path) -> None:
    create_stored(tmp_path / "pdq.index", HammingIndex())
    with StoredIndex(tmp_path / "pdq.index") as empty:
        assert decide(CAT, Indexes(empty, ExactIndex(empty))).searched == ["pdq", "md5"]


@pytest.mark.parametrize(
    ("distance", "action"),
    [(0, Action.HOLD), (15, Action.HOLD), (16, Action.REVIEW), (40, Action.REVIEW), (41, Action.NONE)],
)
def test_the_thresholds_include_their_last_bit(indexes: Indexes, distance: int, action: Action) -> None:
    policy = Policy(hold_distance=15, review_distance=40)
    value = near(fingerprint(CLOCK).pdq, distance)
    assert indexes.pdq is not None
    assert decide_on_pdq(value, 100, indexes.pdq, policy).action is action


def test_minus_one_never_holds_for_a_distance(indexes: Indexes) -> None:
    assert indexes.pdq is not None
    policy = Policy(hold_distance=-1)
    assert decide_on_pdq(fingerprint(ASTRONAUT).pdq, 100, indexes.pdq, policy).action is Action.REVIEW


def test_thresholds_out_of_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="must not exceed"):
        Policy(hold_distance=31, review_distance=30)


def test_no_policy_can_ask_for_removal() -> None:
    assert [action.value for action in Action] == ["none", "review", "hold"]


def test_a_bare_signal_says_neither_relation_nor_quality(indexes: Indexes) -> None:
    assert indexes.pdq is not None
    match = decide_on_pdq(fingerprint(ASTRONAUT).pdq, None, indexes.pdq).matches[0]
    assert (match.relation, match.quality) == (None, None)


def test_the_quality_a_caller_knows_counts(indexes: Indexes) -> None:
    assert indexes.pdq is not None
    assert decide_on_pdq(fingerprint(ASTRONAUT).pdq, 49, indexes.pdq).action is Action.REVIEW
    assert decide_on_pdq(fingerprint(ASTRONAUT).pdq, 50, indexes.pdq).action is Action.HOLD


def test_a_value_that_no_real_picture_gives_is_of_poor_quality(indexes: Indexes) -> None:
    assert indexes.pdq is not None
    assert decide_on_pdq("0" * 64, None, indexes.pdq).poor_quality


def test_a_known_md5_is_found_and_its_neighbour_is_not(indexes: Indexes) -> None:
    assert indexes.md5 is not None
    assert decide_on_md5(md5_of(CAT), indexes.md5).action is Action.HOLD
    assert decide_on_md5(f"{int(md5_of(CAT), 16) ^ 1:032x}", indexes.md5).action is Action.NONE


def test_many_codes_give_the_decisions_that_each_gives_alone(indexes: Indexes) -> None:
    assert indexes.pdq is not None
    values = [near(fingerprint(ASTRONAUT).pdq, bits) for bits in (0, 10, 31, 60)] + [fingerprint(CLOCK).pdq]
    qualities = [None, 80, 10, 90, None]
    codes = np.frombuffer(bytes.fromhex("".join(values)), np.uint8).reshape(-1, 32)
    alone = {
        position: decision
        for position, (value, quality) in enumerate(zip(values, qualities, strict=True))
        if (decision := decide_on_pdq(value, quality, indexes.pdq)).matches
    }
    assert decide_on_codes(codes, qualities, indexes.pdq) == alone
    assert list(alone) == [0, 1, 2, 4]


def test_equal_codes_are_looked_up_once_and_each_with_its_own_quality(indexes: Indexes) -> None:
    assert indexes.pdq is not None
    asked: list[int] = []

    class Counting:
        """The index, and how many codes it was asked for."""

        def query_many(self, codes, radius):  # type: ignore[no-untyped-def]
            asked.append(len(codes))
            return indexes.pdq.query_many(codes, radius)  # type: ignore[union-attr]

        def code_of(self, id_: int) -> bytes:
            return indexes.pdq.code_of(id_)  # type: ignore[union-attr]

    code = np.frombuffer(bytes.fromhex(fingerprint(ASTRONAUT).pdq), np.uint8)
    decisions = decide_on_codes(np.tile(code, (300, 1)), [20, 90, None] * 100, Counting())
    assert asked == [3]
    assert [decision.quality for decision in decisions.values()] == [20, 90, None] * 100
    assert [decisions[at].action for at in (0, 1, 2)] == [Action.REVIEW, Action.HOLD, Action.HOLD]


def test_no_more_matches_are_named_than_asked_for_and_the_nearest_stay(indexes: Indexes) -> None:
    decision = decide(ASTRONAUT, indexes, Policy(max_matches=1))
    assert [match.id for match in decision.matches] == [1]
    assert decision.more
    assert not decide(ASTRONAUT, indexes, Policy(max_matches=2)).more


def test_a_signal_withdrawn_between_search_and_answer_is_not_named(tmp_path: Path) -> None:
    value = bytes.fromhex(fingerprint(ASTRONAUT).pdq)
    create_stored(tmp_path / "pdq.index", HammingIndex(np.frombuffer(value, np.uint8).reshape(1, 32), [1]))
    with StoredIndex(tmp_path / "pdq.index", writable=True) as index:

        class WithdrawnMeanwhile:
            """The index, from which the signal goes right after it was found."""

            def query_many(self, *asked):  # type: ignore[no-untyped-def]
                found = index.query_many(*asked)
                index.remove(1)
                return found

            def code_of(self, id_: int) -> bytes:
                return index.code_of(id_)

        decision = decide(ASTRONAUT, Indexes(WithdrawnMeanwhile()))
    assert (decision.action, decision.matches) == (Action.NONE, [])
