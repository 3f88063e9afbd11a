"""The routes. Each reads its message, asks ``reclaim.matching.decisions`` and answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reclaim.index import CODE_BYTES
from reclaim.index.codes import Codes
from reclaim.matching.by_parts import MOST_CHECKS, may_show
from reclaim.matching.decisions import (
    Decision,
    FileIndex,
    Indexes,
    NearIndex,
    decide_on_codes,
    decide_on_md5,
    decide_on_pdq,
    decide_on_signals,
    found_by_parts,
    joined,
)
from reclaim.matching.policy import Action, Policy, most_urgent
from reclaim.matching.seen import BOTH_STAGES, VIEWS_ALONE, Seen
from reclaim.matching.service.answers import InPieces
from reclaim.matching.service.bodies import insist_on_type, read_body
from reclaim.matching.service.checks import NotAskedError
from reclaim.matching.service.config import (
    BATCH_BODY,
    BATCH_MATCHES,
    BATCH_MATCHES_IN_ALL,
    DECODE_SECONDS,
    FRAMES_BODY,
    MAX_BATCH,
    NEAR_DISTANCE,
    SMALL_BODY,
)
from reclaim.matching.service.messages import (
    Batch,
    BatchAnswer,
    Matched,
    PdqQuestion,
    PictureDecision,
    PictureQuery,
    Question,
    Unchecked,
    VideoQuestion,
)
from reclaim.matching.service.parts import Parts
from reclaim.matching.service.problems import Problem, invalid_message
from reclaim.matching.videos import VideoDecision, decide_on_frames
from reclaim.signals import DecoderStopped, EmptyFile, PictureTooLarge, SignalError, md5_of
from reclaim.signals.descriptors import name_of

JSON, BYTES = "application/json", "application/octet-stream"
_TO_ANSWER = 2.0
"""Seconds before the deadline at which the bank is asked no more."""
_NOT_ASKED = "By its parts it may show a known picture; the bank could not be asked, so let a person look."
_AT_ONCE = 128
"""Codes searched in one call, so that a deadline is seen and answers take bounded memory."""

_QUESTION: TypeAdapter[Question] = TypeAdapter(Question)


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), media_type=JSON)


def _pdq_of(indexes: Indexes) -> NearIndex:
    if indexes.pdq is None:
        raise Problem(503, "This service has no index of PDQ signals now. Send it again later.", retry_after=5)
    return indexes.pdq


def _md5_of(indexes: Indexes) -> FileIndex:
    if indexes.md5 is None:
        raise Problem(503, "This service has no index of MD5 signals now. Send it again later.", retry_after=5)
    return indexes.md5


def _insist_on_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise Problem(504)


def _shortened(matched: list[Matched]) -> list[Matched]:
    """With fewer matches each, at least one, where all of them would make too long an answer."""
    most = max(1, BATCH_MATCHES_IN_ALL // max(1, len(matched)))
    return [
        each
        if len(each.decision.matches) <= most
        else Matched(
            position=each.position,
            decision=each.decision.model_copy(update={"matches": each.decision.matches[:most], "more": True}),
        )
        for each in matched
    ]


class Routes:
    """The handlers, around what they share."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        policy = parts.config.policy
        self._batch_policy = policy.model_copy(update={"max_matches": min(BATCH_MATCHES, policy.max_matches)})

    def table(self) -> list[Route]:
        """Every route."""
        return [
            Route("/v1/lookup", self.lookup, methods=["POST"]),
            Route("/v1/lookup/batch", self.lookup_batch, methods=["POST"]),
            Route("/v1/lookup/video", self.lookup_video, methods=["POST"]),
            Route("/v1/match", self.match, methods=["POST"]),
            Route("/live", self.live),
            Route("/ready", self.ready),
            Route("/metrics", self.metrics),
        ]

    async def lookup(self, request: Request) -> Response:
        """One signal, looked up right here where that takes microseconds."""
        insist_on_type(request, JSON)
        try:
            question = _QUESTION.validate_json(await self._body(request, SMALL_BODY))
        except ValidationError as error:
            raise invalid_message(error) from None
        self._parts.metrics.looked_up(1)
        if self._parts.config.policy.review_distance <= NEAR_DISTANCE:
            return _json(self._answer(question))
        return _json(await asyncio.to_thread(self._answer, question))

    def _answer(self, question: Question) -> Decision:
        indexes, policy = self._parts.folder.indexes, self._parts.config.policy
        if isinstance(question, PdqQuestion):
            return decide_on_pdq(
                question.value, question.quality, _pdq_of(indexes), policy, review_only=indexes.review_only
            )
        return decide_on_md5(question.value, _md5_of(indexes), policy, review_only=indexes.review_only)

    async def lookup_batch(self, request: Request) -> Response:
        """Many signals: JSON, or PDQ values of 32 bytes end to end."""
        kind = insist_on_type(request, JSON, BYTES)
        with self._parts.batches.place(request.scope["owner"]) as place:
            body = await self._body(request, MAX_BATCH * CODE_BYTES if kind == BYTES else BATCH_BODY)
            work = self._codes if kind == BYTES else self._questions
            count, answer = await place.run(partial(self._answered, work, body, request.scope["deadline"]))
        self._parts.metrics.looked_up(count)
        return InPieces(answer, media_type=JSON)

    async def lookup_video(self, request: Request) -> Response:
        """A video by its frames."""
        insist_on_type(request, JSON)
        with self._parts.batches.place(request.scope["owner"]) as place:
            body = await self._body(request, FRAMES_BODY)
            answer = await place.run(partial(self._video, body, request.scope["deadline"]))
        self._parts.metrics.looked_up(1)
        return _json(answer)

    def _video(self, body: bytes, deadline: float) -> VideoDecision:
        try:
            frames = VideoQuestion.model_validate_json(body).parsed()
        except ValidationError as error:
            raise invalid_message(error) from None
        indexes = self._parts.folder.indexes
        if indexes.video is None:
            raise Problem(503, "This service has no index of videos now. Send it again later.", retry_after=5)
        _insist_on_time(deadline)
        return decide_on_frames(frames, indexes.video, self._parts.config.policy, review_only=indexes.review_only)

    @staticmethod
    def _answered(work: Callable[[bytes, float], BatchAnswer], body: bytes, deadline: float) -> tuple[int, bytes]:
        """How many signals were looked up, and the answer as JSON: made in the thread, as it may be long."""
        answer = work(body, deadline)
        return answer.count, answer.model_dump_json().encode()

    def _codes(self, body: bytes, deadline: float) -> BatchAnswer:
        count, rest = divmod(len(body), CODE_BYTES)
        if rest or not count:
            raise Problem(400, f"Send 1 to {MAX_BATCH} PDQ values of {CODE_BYTES} bytes, end to end.")
        codes = np.frombuffer(body, np.uint8).reshape(count, CODE_BYTES)
        matched = self._near(codes, list(range(count)), None, deadline)
        return BatchAnswer(count=count, matched=_shortened(matched))

    def _questions(self, body: bytes, deadline: float) -> BatchAnswer:
        try:
            questions = Batch.model_validate_json(body).signals
        except ValidationError as error:
            raise invalid_message(error) from None
        near = [(at, each) for at, each in enumerate(questions) if isinstance(each, PdqQuestion)]
        matched: list[Matched] = []
        if near:
            codes = np.frombuffer(bytes.fromhex("".join(each.value for _, each in near)), np.uint8)
            matched += self._near(
                codes.reshape(-1, CODE_BYTES), [at for at, _ in near], [each.quality for _, each in near], deadline
            )
        for at, question in enumerate(questions):
            if not isinstance(question, PdqQuestion):
                _insist_on_time(deadline)
                indexes = self._parts.folder.indexes
                decision = decide_on_md5(
                    question.value, _md5_of(indexes), self._batch_policy, review_only=indexes.review_only
                )
                if decision.matches:
                    matched.append(Matched(position=at, decision=decision))
        matched.sort(key=lambda each: each.position)
        return BatchAnswer(count=len(questions), matched=_shortened(matched))

    def _near(
        self, codes: Codes, positions: Sequence[int], qualities: Sequence[int | None] | None, deadline: float
    ) -> list[Matched]:
        matched: list[Matched] = []
        for start in range(0, len(codes), _AT_ONCE):
            _insist_on_time(deadline)
            here = slice(start, start + _AT_ONCE)
            indexes = self._parts.folder.indexes
            found = decide_on_codes(
                codes[here],
                qualities[here] if qualities else None,
                _pdq_of(indexes),
                self._batch_policy,
                review_only=indexes.review_only,
            )
            matched += [Matched(position=positions[start + at], decision=each) for at, each in found.items()]
        return matched

    async def match(self, request: Request) -> Response:
        """A picture's bytes. It is decoded in another process; known files are found even if nobody can decode them."""
        insist_on_type(request, "image/", BYTES)
        try:
            adult = PictureQuery.model_validate(dict(request.query_params)).adult
        except ValidationError as error:
            raise invalid_message(error) from None
        try:
            place = self._parts.pictures.place(request.scope["owner"])
        except Problem:
            self._parts.metrics.refused("too_many_pictures")
            raise
        with place:
            data = await self._body(request, self._parts.config.picture_bytes)
            try:
                decision = await place.run(partial(self._decide, data, adult, request.scope["deadline"]))
            except DecoderStopped as error:
                self._parts.metrics.refused("decoder_stopped")
                raise Problem(422, str(error)) from None
            except SignalError as error:
                raise Problem(413 if isinstance(error, PictureTooLarge) else 422, str(error)) from None
        self._parts.metrics.looked_up(1)
        return _json(decision)

    def _decide(self, data: bytes, adult: bool | None, deadline: float) -> PictureDecision:
        _insist_on_time(deadline)
        if not data:
            raise EmptyFile
        indexes = self._parts.folder.indexes
        policy = self._parts.config.policy.model_copy(update={"adult": adult})
        stages = BOTH_STAGES if indexes.descriptors is not None and len(indexes.descriptors) else VIEWS_ALONE
        md5: list[str] = []
        seen = self._parts.decoders().ask(
            stages + data, min(deadline - time.monotonic(), DECODE_SECONDS), lambda: md5.append(md5_of(data))
        )
        views = seen if isinstance(seen, SignalError) else seen.views
        decision = decide_on_signals(md5[0], views, indexes, policy)
        if isinstance(seen, SignalError) or indexes.descriptors is None:
            return PictureDecision(**decision.model_dump())
        return self._with_parts(decision, seen, indexes, policy, deadline)

    def _with_parts(
        self, decision: Decision, seen: Seen, indexes: Indexes, policy: Policy, deadline: float
    ) -> PictureDecision:
        """The decision with what the bank says of pictures that the upload may show, and with what it does not say."""
        pictures, checks = indexes.descriptors, self._parts.checks
        found, unchecked, asked = [], [], 0
        for candidate in may_show(seen.described, pictures) if pictures is not None else []:
            of_a_source = candidate.id in indexes.of_a_source
            values = pictures.values(candidate.id) if pictures is not None else None
            if values is None or not len(values) or (of_a_source and not policy.takes_sources):
                continue
            if asked == MOST_CHECKS:
                break
            asked += 1
            name = name_of(values)
            try:
                relation = checks.check(name, candidate, deadline - _TO_ANSWER)
            except NotAskedError:
                told = {"id": candidate.id, "frame": candidate.frame, "pairs": candidate.pairs, "part": candidate.part}
                unchecked.append(Unchecked(value=name, of_a_source=of_a_source, **told))
                continue
            if relation is not None:
                one = found_by_parts(candidate.id, name, relation, policy)
                update = {"type": "source", "action": policy.action_on_source()} if of_a_source else {}
                found.append(one.model_copy(update=update))
        whole = PictureDecision(**joined(decision, found, policy).model_dump(), unchecked=unchecked)
        if not unchecked or not checks.asks:
            return whole
        # It was to be asked, and was not: then a person looks.
        action = most_urgent(whole.action, Action.REVIEW)
        return whole.model_copy(update={"action": action, "reason": f"{whole.reason} {_NOT_ASKED}"})

    async def live(self, request: Request) -> Response:
        """Whether this process answers at all."""
        return Response('{"live":true}', media_type=JSON)

    async def ready(self, request: Request) -> Response:
        """Whether this worker can be asked."""
        if reason := self._parts.not_ready():
            raise Problem(503, reason, retry_after=1)
        return Response('{"ready":true}', media_type=JSON)

    async def metrics(self, request: Request) -> Response:
        """Figures for Prometheus."""
        self._parts.set_gauges()
        return Response(
            self._parts.metrics.text(self._parts.folder.counts()), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    async def _body(self, request: Request, most: int) -> bytes:
        try:
            return await read_body(request, most)
        except Problem as problem:
            if problem.status in _COUNTED:
                self._parts.metrics.refused(_COUNTED[problem.status])
            raise


_COUNTED = {413: "too_large", 408: "too_slow"}
