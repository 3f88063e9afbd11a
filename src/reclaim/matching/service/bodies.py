"""Reading a body: no longer than its limit, no slower than its time, refused by its stated length before it comes."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from reclaim.matching.service.config import BODY_SECONDS
from reclaim.matching.service.problems import Problem


def insist_on_type(request: Request, *wanted: str) -> str:
    """The content type without parameters, in lower case. Raises a 415 unless one of those wanted begins it."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not given.startswith(wanted):
        names = " or ".join(f"{each}*" if each.endswith("/") else each for each in wanted)
        raise Problem(415, f"Send the body itself, with the content type {names}.")
    return given


async def read_body(request: Request, most: int) -> bytes:
    """The whole body. Raises a 413, 408 or 400."""
    too_large = Problem(413, f"Send at most {most:,} bytes here.")
    try:
        if int(request.headers.get("content-length", 0)) > most:
            raise too_large
    except ValueError:
        raise Problem(400) from None
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise too_large
    except TimeoutError:
        raise Problem(408) from None
    except ClientDisconnect:
        raise Problem(400) from None
    return bytes(body)
