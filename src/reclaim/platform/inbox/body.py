"""Reading the picture out of a request: bounded, in memory, never into a file of somebody else's choosing."""

from __future__ import annotations

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

MAX_UPLOAD = 50 * 1024 * 1024
"""Bytes of one uploaded picture or video."""
_FORM_OVERHEAD = 64 * 1024
_PIECE = 64 * 1024
_MOST_READ_AND_DROPPED = 1024 * 1024 * 1024


class BodyError(Exception):
    """The body of a request holds no picture that could be taken."""

    status = 400
    title = "This body could not be read"
    sentence = "Send one picture or video: as the body itself, or as the only file of a multipart form."


class UploadTooBigError(BodyError):
    """The upload is larger than ``MAX_UPLOAD``."""

    status = 413
    title = "This upload is too large"
    sentence = f"A picture or video may have {MAX_UPLOAD // 2**20} MiB. Send a smaller copy of it."


class NoLengthError(BodyError):
    """The request does not say how long its body is."""

    status = 411
    title = "How long is this upload?"
    sentence = "Send a Content-Length, and no Transfer-Encoding."


class _InMemory(MemoryFileUploadHandler):
    """Keeps the file of a form in memory; the stock handlers would write a large one into a shared folder."""

    def handle_raw_input(self, *args: object, **kwargs: object) -> None:
        self.activated = True


def _drop(request: HttpRequest) -> None:
    # Read to its end and thrown away: a connection closed over unread data is cut before the answer gets through.
    dropped = 0
    while dropped < _MOST_READ_AND_DROPPED and (piece := request.read(_PIECE)):
        dropped += len(piece)


def read_picture(request: HttpRequest) -> bytes:
    """The uploaded file: the body itself, or the one file of a multipart form, whatever its names.

    Raises ``BodyError``. An empty body is returned as it is.
    """
    if "Transfer-Encoding" in request.headers:
        raise NoLengthError
    said = request.headers.get("Content-Length") or "0"
    length = int(said) if said.isdecimal() else 0
    is_form = request.content_type == "multipart/form-data"
    try:
        if length > MAX_UPLOAD + (_FORM_OVERHEAD if is_form else 0):
            _drop(request)
            raise UploadTooBigError
        data = _only_file(request) if is_form else request.read(length)
    except (UnreadablePostError, MultiPartParserError, SuspiciousOperation) as error:
        raise BodyError from error
    if not is_form and len(data) < length:
        raise BodyError
    if len(data) > MAX_UPLOAD:
        raise UploadTooBigError
    return data


def _only_file(request: HttpRequest) -> bytes:
    request.upload_handlers = [_InMemory(request)]
    files = [file for _, several in request.FILES.lists() for file in several]
    if len(files) != 1:
        raise BodyError
    return bytes(files[0].read())
