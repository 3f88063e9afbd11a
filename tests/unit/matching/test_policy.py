"""Nothing but a known file and a plain PDQ within 31 bits may hold, whatever a policy says."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from pydantic import ValidationError

from reclaim.index import HammingIndex
from reclaim.matching import Action, Indexes, Policy, decide
from reclaim.matching.decisions import decide_on_signals, found_by_parts, joined
from reclaim.matching.relation import Relation
from reclaim.signals import fingerprint, md5_of
from reclaim.signals.views import read_views

PHOTOS = Path(__file__).parents[2] / "photos"
CAT = PHOTOS / "cat.jpg"
BOLDEST = Policy(
    hold_distance=31, review_distance=60, poor_quality=Action.HOLD, partly_altered=Action.HOLD, sources=True
)


def index_of(*values: str) -> HammingIndex:
    codes = np.frombuffer(bytes.fromhex("".join(values)), np.uint8).reshape(-1, 32)
    return HammingIndex(codes, range(1, len(values) + 1))


def other_bits(value: str, count: int) -> str:
    return f"{int(value, 16) ^ ((1 << count) - 1):064x}"


def within_bars(mirrored: bool = False) -> bytes:
    with Image.open(CAT) as image:
        picture = ImageOps.mirror(image) if mirrored else image
        framed = ImageOps.expand(picture.convert("RGB"), border=(0, 90), fill="black")
    out = io.BytesIO()
    framed.save(out, "JPEG", quality=90)
    return out.getvalue()


@pytest.mark.parametrize("distance", [0, 31])
def test_a_plain_match_within_31_bits_may_hold(distance: int) -> None:
    known = other_bits(fingerprint(CAT).pdq, distance)
    assert decide(CAT, Indexes(index_of(known))).action is Action.HOLD


@pytest.mark.parametrize("distance", [32, 45, 60])
def test_from_32_bits_on_a_person_looks_and_nothing_is_held(distance: int) -> None:
    known = other_bits(fingerprint(CAT).pdq, distance)
    decision = decide(CAT, Indexes(index_of(known)), BOLDEST)
    assert (decision.action, decision.matches[0].distance) == (Action.REVIEW, distance)
    assert decide(CAT, Indexes(index_of(known))).action is Action.NONE


@pytest.mark.parametrize(("mirrored", "turn"), [(False, "original"), (True, "flipy")])
def test_a_part_of_an_upload_never_holds_it_however_near_it_is(mirrored: bool, turn: str) -> None:
    decision = decide(within_bars(mirrored), Indexes(index_of(fingerprint(CAT).pdq)), BOLDEST)
    assert decision.action is Action.REVIEW
    relation = decision.matches[0].relation
    assert relation is not None
    assert (relation.how, relation.turn) == ("trimmed", turn)
    assert relation.box is not None
    assert relation.sentence in decision.reason


def test_a_plain_match_is_not_hidden_by_a_part_that_is_nearer() -> None:
    upload = within_bars()
    views = read_views(upload)
    trimmed = next(view for view in views.views if view.kind == "trimmed")
    # One known picture is near as the upload lies, and nearer still to a part of it; others are nearer to parts alone.
    known = index_of(trimmed.codes[:32].hex(), other_bits(views.original.value, 20))
    decision = decide(upload, Indexes(known), Policy(max_matches=1))
    assert (decision.action, decision.matches[0].id, decision.more) == (Action.HOLD, 2, True)


def test_without_views_only_the_whole_upload_is_looked_up() -> None:
    known = Indexes(index_of(fingerprint(CAT).pdq))
    assert decide(within_bars(), known, Policy(views=False)).action is Action.NONE


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (Policy(), False),
        (Policy(sources=True), False),
        (Policy(sources=True, adult=False), False),
        (Policy(adult=True), False),
        (Policy(sources=True, adult=True, hold_distance=31, poor_quality=Action.HOLD), True),
    ],
)
def test_a_source_photograph_counts_where_platform_and_upload_say_adult_and_is_only_reviewed(
    policy: Policy, found: bool
) -> None:
    decision = decide(CAT, Indexes(source=index_of(fingerprint(CAT).pdq)), policy)
    assert decision.action is (Action.REVIEW if found else Action.NONE)
    assert [match.type for match in decision.matches] == (["source"] if found else [])
    assert ("clothed original" in decision.reason) is found
    assert ("source" in decision.searched) is found


@pytest.mark.parametrize(("altered", "action"), [(Action.HOLD, Action.REVIEW), (Action.NONE, Action.NONE)])
def test_what_is_found_by_descriptors_joins_a_decision_and_is_at_most_reviewed(altered: Action, action: Action) -> None:
    policy = Policy(partly_altered=altered)
    nothing = decide_on_signals(md5_of(CAT), read_views(CAT), Indexes(index_of("ab" * 32)), policy)
    assert nothing.action is Action.NONE
    relation = Relation(how="parts", kept=0.7, altered=0.3, partly_altered=True)
    both = joined(nothing, [found_by_parts(9, "cd" * 32, relation, policy)], policy)
    assert (both.action, both.searched[-1], both.matches[-1].id) == (action, "descriptors", 9)
    assert relation.sentence in both.reason


@pytest.mark.parametrize("fields", [{"hold_distance": 32, "review_distance": 60}, {"review_distance": 61}])
def test_no_policy_holds_beyond_31_bits_or_looks_beyond_60(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Policy(**fields)
