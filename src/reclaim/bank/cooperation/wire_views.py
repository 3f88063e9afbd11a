"""What other banks ask for and hand over on behalf of organisations."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from reclaim.bank.cooperation.carry import RefusedMessageError, own_list, take
from reclaim.bank.federation.queries import access_peer
from reclaim.bank.peers.identity import own_key
from reclaim.protocol import referral as wire
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.problems import problem


@require_GET
@requires(Access.PEER)
def organisations(request: HttpRequest) -> HttpResponse:
    """The organisations of this bank that take part in referrals, signed."""
    return HttpResponse(wire.sign(own_list(), own_key()), content_type="application/json")


@require_POST
@requires(Access.PEER)
def referrals(request: HttpRequest) -> HttpResponse:
    """Take one message in. The same one again is answered alike, and counts once."""
    peer = access_peer(request)
    envelope = wire.read_envelope(request.body, bytes(peer.public_key or b""))
    if envelope is None:
        return problem(400, "This is no message of yours", "Sign it with your bank's key, and send it whole.")
    try:
        take(envelope, peer)
    except RefusedMessageError as error:
        return problem(error.status, "This message was not taken", str(error))
    return HttpResponse(status=204)
