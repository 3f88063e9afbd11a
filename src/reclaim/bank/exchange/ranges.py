"""Files that never change, whole or a range of them (RFC 9110), so that a download that was cut off goes on."""

from __future__ import annotations

import re
from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.responders import SlicedFile

from reclaim.sitekit.problems import problem

_ONE_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))", re.ASCII)


def file_answer(request: HttpRequest, path: Path, digest: str, content_type: str) -> HttpResponseBase:
    """The file, or the range that was asked for. ``digest`` is of its content, and its ETag.

    Several ranges at once, and what is no range, get the whole, as RFC 9110 lets a server do.
    """
    tag, size = f'"{digest}"', path.stat().st_size
    headers = {"ETag": tag, "Accept-Ranges": "bytes"}
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers=headers)
    wanted = _ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    if wanted is None or request.headers.get("If-Range", tag) != tag:
        return FileResponse(path.open("rb"), content_type=content_type, headers=headers)
    first, last, suffix = (int(number) if number else None for number in wanted.groups())
    start = first if first is not None else max(size - (suffix or 0), 0)
    end = min(last if last is not None else size - 1, size - 1)
    if start > end:
        refusal = problem(416, "There is no such range", f"The part has {size} bytes. Ask within them.")
        refusal["Content-Range"] = f"bytes */{size}"
        return refusal
    answer = FileResponse(
        SlicedFile(path.open("rb"), start, end),
        status=206,
        content_type=content_type,
        headers={**headers, "Content-Range": f"bytes {start}-{end}/{size}", "Content-Length": str(end - start + 1)},
    )
    return answer
