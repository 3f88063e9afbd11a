"""``POST /v2/placements/check``: whether descriptors lie in an upload as they lie in their picture."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Body, Router

from reclaim.bank.placements.services import check_placement
from reclaim.bank.platforms.queries import access_platform
from reclaim.matching.parts import relation_of
from reclaim.protocol import native_v2 as wire
from reclaim.signals.geometry import Geometry
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.limits import SlowDownError
from reclaim.sitekit.problems import problem

router = Router()


@router.post(
    "/placements/check",
    url_name="v2-check-placement",
    response={200: wire.PlacementAnswer, 422: wire.Problem, 429: wire.Problem},
)
@requires(Access.DESCRIPTORS_KEY)
def check_a_placement(request: HttpRequest, message: Body[wire.PlacementCheck]) -> HttpResponse:
    """Whether an upload shows the picture that these descriptors are of: yes or no, and coarsely how it was edited."""
    try:
        found = check_placement(access_platform(request), message.value, message.frame, message.pairs)
    except ValueError as error:
        return problem(422, "This cannot be checked", f"{error} Nothing was checked.")
    except SlowDownError as error:
        refusal = problem(
            429, "Not now", f"Checks about this picture, or all of yours, are used up. Wait {error.seconds} seconds."
        )
        refusal["Retry-After"] = str(error.seconds)
        return refusal
    answer = wire.PlacementAnswer(match=found is not None, relation=_relation(found))
    return HttpResponse(wire.as_json(answer), content_type="application/json")


def _relation(found: Geometry | None) -> wire.PlacementRelation | None:
    """How the upload was edited, in tenths: anything finer would tell where descriptors lie."""
    if found is None:
        return None
    told = relation_of(found)
    return wire.PlacementRelation(
        turn=told.turn, tilt=told.tilt, box=told.box, kept=told.kept or 0, altered=told.altered
    )
