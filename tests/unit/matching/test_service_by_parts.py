"""What the match service says of a picture that may show a known one by its parts, with a bank to ask and without."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reclaim.index import HammingIndex, create_stored
from reclaim.matching.candidates import DescriptorIndex
from reclaim.matching.decisions import decide_on_signals
from reclaim.matching.keys import make_key
from reclaim.matching.policy import Policy
from reclaim.matching.review_only import OF_A_SOURCE_FILE, ReviewOnly
from reclaim.matching.seen import BOTH_STAGES, VIEWS_ALONE, Seen, seen_crew
from reclaim.matching.service.checks import BankForChecks
from reclaim.matching.service.config import Config
from reclaim.matching.service.messages import PictureDecision
from reclaim.matching.service.parts import Parts
from reclaim.matching.service.routes import Routes
from reclaim.signals import fingerprint, read_luma
from reclaim.signals.crew import Crew
from reclaim.signals.descriptors import Descriptors, describe
from reclaim.signals.geometry import check
from tests.unit.client.scripted_bank import Answer, Request, ScriptedBank, serve

PHOTO = Path(__file__).parents[2] / "photos" / "cat.jpg"


@dataclass(frozen=True)
class Service:
    by_parts: Callable[..., PictureDecision]
    of_bytes: Callable[..., PictureDecision]

    def __call__(self, adult: bool | None = None) -> PictureDecision:
        return self.by_parts(adult)


@pytest.fixture(scope="module")
def known() -> Descriptors:
    with Image.open(PHOTO) as image:
        return describe(read_luma(PHOTO), *image.size)


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew[Seen]]:
    crew = seen_crew(1)
    yield crew
    crew.end()


@pytest.fixture(scope="module")
def upload(crew: Crew[Seen]) -> Seen:
    """A cropped copy, as a limited process sees it."""
    out = io.BytesIO()
    with Image.open(PHOTO) as image:
        wide, high = image.size
        image.crop((wide // 6, high // 6, wide, high)).save(out, "JPEG", quality=80)
    seen, alone = crew.ask(BOTH_STAGES + out.getvalue(), 60), crew.ask(VIEWS_ALONE + out.getvalue(), 60)
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
    ) -> Iterator[Service]:
        ReviewOnly([7] if of_a_source else []).save(folder, OF_A_SOURCE_FILE)
        asked = None if bank is None else BankForChecks(bank.url.removesuffix("/v1") + "/v2", "key")
        policy = Policy(sources=sources)
        parts = Parts(Config(folder, tmp_path / "keys.json", tmp_path, policy=policy, bank=asked))
        parts.folder.refresh()

        def decide(adult: bool | None = None) -> PictureDecision:
            indexes, asked_of = parts.folder.indexes, policy.model_copy(update={"adult": adult})
            decision = decide_on_signals("0" * 32, upload.views, indexes, asked_of)
            return Routes(parts)._with_parts(decision, upload, indexes, asked_of, time.monotonic() + 20)

        def of_bytes(data: bytes, crew: Crew[Seen]) -> PictureDecision:
            parts._crew = Future()
            parts._crew.set_result(crew)
            return Routes(parts)._decide(data, None, time.monotonic() + 20)

        try:
            yield Service(decide, of_bytes)
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
        found = check(known.placement, request.body["pairs"], tuple(request.body["frame"]))
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
        assert check(known.placement, candidate.pairs, candidate.frame) is not None


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


@pytest.mark.parametrize("said", [{"turn": "sideways"}, {"turn": "original", "box": [0, 0, 1e308, 1]}])
def test_what_a_bank_says_that_cannot_be_is_as_if_it_had_not_answered(
    service: Callable[..., Any], bank: ScriptedBank, said: dict[str, Any]
) -> None:
    bank.answers = [{"match": True, "relation": {"kept": 1, **said}}]
    with service(bank) as decide:
        assert (decide().action, len(decide().unchecked)) == ("review", 1)


def test_a_second_known_picture_in_what_is_held_for_its_looks_is_asked_about_too(
    service: Callable[..., Any], bank: ScriptedBank, crew: Crew[Seen], tmp_path: Path
) -> None:
    picture = fingerprint(PHOTO)
    create_stored(
        tmp_path / "index" / "pdq.index",
        HammingIndex(np.frombuffer(bytes.fromhex(picture.pdq), np.uint8).reshape(1, 32), [3]),
        replace=True,
    )
    with service(bank) as decide:
        decision = decide.of_bytes(PHOTO.read_bytes(), crew)
        assert [(match.type, match.action) for match in decision.matches] == [
            ("pdq", "hold"),
            ("descriptors", "review"),
        ]
        assert decision.action == "hold"
