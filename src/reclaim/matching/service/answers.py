"""Long answers, sent in pieces: who reads them too slowly meets the request's deadline."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_PIECE = 64 * 2**10


class InPieces(Response):
    """A body handed to the server piece by piece, each when there is room for it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for start in range(0, len(self.body), _PIECE):
            piece = bytes(self.body[start : start + _PIECE])
            await send({"type": "http.response.body", "body": piece, "more_body": start + _PIECE < len(self.body)})
