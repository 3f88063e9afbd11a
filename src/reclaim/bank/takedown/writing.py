"""A practitioner writes a request and sends it with one press."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils import timezone

from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.takedown.models import Link, Page, TakedownRequest
from reclaim.bank.takedown.services import Draft, RequestError, draft_request
from reclaim.sitekit import audit

TWICE = datetime.timedelta(minutes=2)
"""Within which the same request for the same link is taken for a second press."""


def write_request(link: Link, practitioner: Practitioner, draft: Draft, *, named: bool = False) -> TakedownRequest:
    """Keep a request that is to be sent at once. ``named``: the person agreed to be named in it, which is audited.

    Raises ``RequestError`` for what cannot be sent, and for a second press on the same button.
    """
    with transaction.atomic():
        Page.objects.select_for_update().get(pk=link.page_id)
        lately = timezone.now() - TWICE
        same = link.requests.filter(route=draft.route, to=draft.to.strip(), drafted_at__gt=lately)
        if same.exists():
            raise RequestError("You have just written this request. It is in the list below; look there how it stands.")
        made = draft_request(link, practitioner, draft)
        if named:
            audit.record(practitioner.actor, "request.named", f"request:{made.pk}")
    return made
