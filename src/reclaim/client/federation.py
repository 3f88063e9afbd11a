"""Reading another Reclaim bank's statements. Only their form is checked here: signatures are the reader's matter."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from reclaim.client.errors import BankMisbehaved, BankRefused, CursorGone
from reclaim.client.line import SignedLine
from reclaim.protocol.federation import LARGEST_PAGE, PATH, Page

_GONE = 410


class FederationClient:
    """One other bank, as this one sees it. Every call raises a ``BankError`` and nothing else."""

    def __init__(self, base_url: str, key: Ed25519PrivateKey, bank_id: uuid.UUID) -> None:
        """Raises ``ValueError`` for an unsafe address."""
        self._line = SignedLine(base_url, key, bank_id)

    def close(self) -> None:
        """Close idle connections."""
        self._line.close()

    def page(self, cursor: str, limit: int = LARGEST_PAGE) -> Page:
        """The statements after a cursor (empty: from the beginning). ``CursorGone``: begin again without one."""
        query = {"limit": str(limit), **({"after": cursor} if cursor else {})}
        target = f"{PATH}?{urlencode(query)}"
        try:
            body = self._line.call("GET", target)
        except BankRefused as error:
            if error.status == _GONE:
                raise CursorGone from error
            raise
        try:
            page = Page.model_validate_json(body)
        except ValidationError:
            pass
        else:
            if len(page.statements) <= limit and not (page.has_more and page.cursor == cursor):
                return page
        raise BankMisbehaved("Its page of statements breaks the contract, and was not used. Tell its operator.")
