"""What other banks ask for."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from reclaim.bank.federation.queries import UnknownCursorError, access_peer, statements
from reclaim.protocol.federation import LARGEST_PAGE
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.problems import problem


@require_GET
@requires(Access.PEER)
def federation_statements(request: HttpRequest) -> HttpResponse:
    """One page of statements, in the order in which this bank learned them."""
    limit, cursor = request.GET.get("limit", str(LARGEST_PAGE)), request.GET.get("after", "")
    if not (limit.isascii() and limit.isdigit() and 0 < len(limit) < 10 and int(limit) > 0):
        return problem(400, "«limit» is no number", f"Say how many statements: 1 to {LARGEST_PAGE}.")
    try:
        page = statements(access_peer(request), cursor, min(int(limit), LARGEST_PAGE))
    except UnknownCursorError:
        return problem(410, "This cursor is not known", "Begin again without «after».", type="urn:reclaim:cursor-gone")
    return HttpResponse(page.model_dump_json(), content_type="application/json")
