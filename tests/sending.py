"""Sending a case as a person's page does, inside the process."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.personas import pdq_value
from tests.proofs import a_proof


def picture(value: str | int, quality: int = 90) -> dict[str, Any]:
    """A picture with one PDQ: the value, or the made-up one of a seed."""
    text = value if isinstance(value, str) else pdq_value(value)
    return {"kind": "picture", "signals": [{"type": "pdq", "value": text, "quality": quality}]}


def send_case(
    *items: dict[str, Any], address: str = "192.0.2.1", client: Client | None = None, **changes: Any
) -> HttpResponse:
    """The bank's answer to a new case of these items, with a new receipt and proof unless ``changes`` says otherwise.

    A key whose change is ``None`` is left out. A client that is given saves making one, which takes a while.
    """
    sent: dict[str, Any] = {"receipt": secrets.token_hex(32), "made_with_ai": "unsaid", "items": list(items)}
    if "proof" not in changes:
        sent["proof"] = a_proof()
    body = {key: value for key, value in (sent | changes).items() if value is not None}
    return (client or Client()).post(  # type: ignore[return-value]
        "/start/case/", json.dumps(body), content_type="application/json", REMOTE_ADDR=address
    )
