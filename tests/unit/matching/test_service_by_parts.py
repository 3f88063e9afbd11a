"""What the match service says of a picture that may show a known one by its parts, with a bank to ask and without."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from reclaim.index import HammingIndex, create_stored
from reclaim.matching.by_parts import BOTH_STAGES, VIEWS_ALONE, Seen, seen_crew
from reclaim.matching.candidates import DescriptorIndex
from reclaim.matching.decisions import decide_on_signals
from reclaim.matching.keys import make_key
from reclaim.matching.policy import Policy
from reclaim.matching.review_only import OF_A_SOURCE_FILE, ReviewOnly
from reclaim.matching.service.checks import BankForChecks
from reclaim.matching.service.config import Config
from reclaim.matching.service.messages import PictureDecision
from reclaim.matching.service.parts import Parts
from reclaim.matching.service.routes import Routes
from reclaim.signals import read_luma
from reclaim.signals.descriptors import Descriptors, describe
from reclaim.signals.geometry import check
from tests.unit.client.scripted_bank import Answer, Request, ScriptedBank, serve

PHOTO = Path(__file__).parents[2] / "photos" / "cat.jpg"
Decide = Callable[..., PictureDecision]


@pytest.fixture(scope="module")
def known() -> Descriptors:
    with Image.open(PHOTO) as image:
        return describe(read_luma(PHOTO), *image.size)


@pytest.fixture(scope="module")
def upload() -> Seen:
    """A cropped copy, as a limited process sees it."""
    out = io.BytesIO()
    with Image.open(PHOTO) as image:
        wide, high = image.size
        image.crop((wide // 6, high // 6, wide, high)).save(out, "JPEG", quality=80)
    crew = seen_crew(1)
    try:
        seen, alone = crew.ask(BOTH_STAGES + out.getvalue(), 60), crew.ask(VIEWS_ALONE + out.getvalue(), 60)
    finally:
        crew.end()
    assert isinstance(seen, Seen)
    assert isinstance(alone, Seen)
    assert (alone.views, alone.described) == (seen.views, [])
    return seen


@pytest.fixture
def service(tmp_path: Path, known: Descriptors, upload: Seen) -> Callable[..., Any]:
    folder = tmp_path / "index"
    folder.mkdir()
    create_stored(folder / "pdq.index", HammingIndex())
    described = DescriptorIndex.build([(7, known.values)]).index
    assert isinstance(described, HammingIndex)
    create_stored(folder / "descriptors.index", described)
    make_key(tmp_path / "keys.json", "test")

    @contextmanager
    def open_service(
        bank: ScriptedBank | None = None, *, sources: bool = False, of_a_source: bool = False
    ) -> Iterator[Decide]:
        ReviewOnly([7] if of_a_source else []).save(folder, OF_A_SOURCE_FILE)
        asked = None if bank is None else BankForChecks(bank.url.removesuffix("/v1") + "/v2", "key")
        policy = Policy(sources=sources)
        parts = Parts(Config(folder, tmp_path / "keys.json", tmp_path, policy=policy, bank=asked))
        parts.folder.refresh()

        def decide(adult: bool | None = None) -> PictureDecision:
            indexes, asked_of = parts.folder.indexes, policy.model_copy(update={"adult": adult})
            decision = decide_on_signals("0" * 32, upload.views, indexes, asked_of)
            return Routes(parts)._with_parts(decision, upload, indexes, asked_of, time.monotonic() + 20)

        try:
            yield decide
        finally:
            parts.checks.close()
            parts.pictures.close()
            parts.batches.close()
            parts.folder.close()
            parts.metrics.close()

    return open_service


@pytest.fixture
def bank(known: Descriptors) -> Iterator[ScriptedBank]:
    def answer(request: Request) -> Any:
        found = check(known.places, request.body["pairs"], tuple(request.body["frame"]))
        if found is None or request.body["value"] != known.name:
            return {"match": False}
        return {"match": True, "relation": {"turn": found.turn, "kept": round(found.kept, 1), "altered": 0.3}}

    with serve() as served:
        served.answers = [answer]
        yield served


def test_a_service_that_asks_nobody_names_what_to_ask_and_makes_nothing_of_it(
    service: Callable[..., Any], known: Descriptors
) -> None:
    with service() as decide:
        decision = decide()
        [candidate] = decision.unchecked
        assert (decision.action, decision.matches, candidate.value, candidate.id) == ("none", [], known.name, 7)
        assert check(known.places, candidate.pairs, candidate.frame) is not None


def test_what_the_bank_says_joins_the_decision_and_no_more_than_a_review_comes_of_it(
    service: Callable[..., Any], bank: ScriptedBank, known: Descriptors
) -> None:
    with service(bank) as decide:
        decision = decide()
        [match] = decision.matches
        assert (decision.action, match.type, match.value, decision.unchecked) == (
            "review",
            "descriptors",
            known.name,
            [],
        )
        assert match.relation.partly_altered
        bank.answers = [{"match": False}]
        assert (decide().action, decide().matches, decide().unchecked) == ("none", [], [])


def test_a_bank_that_does_not_answer_costs_no_time_twice_and_a_person_is_to_look(
    service: Callable[..., Any], bank: ScriptedBank
) -> None:
    bank.answers = [Answer({}, 503)]
    with service(bank) as decide:
        for _ in range(3):
            decision = decide()
            assert (decision.action, len(decision.unchecked)) == ("review", 1)
            assert "the bank could not be asked" in decision.reason
        assert len(bank.requests) == 1


def test_a_clothed_original_is_asked_about_only_where_platform_and_upload_are_adult(
    service: Callable[..., Any], bank: ScriptedBank
) -> None:
    with service(bank, of_a_source=True) as decide:
        assert (decide(True).matches, decide(True).unchecked) == ([], [])
    with service(bank, of_a_source=True, sources=True) as decide:
        assert (decide().matches, decide(False).matches) == ([], [])
        [match] = decide(True).matches
        assert (match.type, match.action) == ("source", "review")
