"""Screenshots on their way into a pack: in memory and bounded, never in a file."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

from reclaim.protocol.evidence import LARGEST_PICTURE, LARGEST_PICTURES, MOST_PICTURES

LARGEST_REQUEST = LARGEST_PICTURES + 1024 * 1024
"""Bytes of the whole form."""


class TooLargeError(Exception):
    """More was sent than a pack takes."""


class InMemory(FileUploadHandler):
    """Keeps files in memory alone. One that is too large, or one too many, ends the upload."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.whole = 0
        self.count = 0
        self.overflowed = False
        self._chunks: list[bytes] = []
        self._size = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin one file."""
        super().new_file(*args, **kwargs)
        self.count += 1
        self._chunks, self._size = [], 0
        if self.count > MOST_PICTURES:
            self._overflow()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Take in a piece."""
        self._size += len(raw_data)
        self.whole += len(raw_data)
        if self._size > LARGEST_PICTURE or self.whole > LARGEST_PICTURES:
            self._overflow()
        self._chunks.append(bytes(raw_data))

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        """One file, whole. Its own name is not kept."""
        content, self._chunks = b"".join(self._chunks), []
        return InMemoryUploadedFile(
            BytesIO(content), self.field_name, "screenshot", "application/octet-stream", len(content), None
        )

    def _overflow(self) -> None:
        self.overflowed, self._chunks = True, []
        raise StopUpload(connection_reset=False)


def pictures_of(request: HttpRequest, field: str) -> list[bytes]:
    """The files of a form's field. Call it before anything else reads the form. Raises ``TooLargeError``."""
    handler = InMemory(request)
    request.upload_handlers = [handler]
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > LARGEST_REQUEST:
        raise TooLargeError
    found = [uploaded.read() for uploaded in request.FILES.getlist(field)]
    if handler.overflowed:
        raise TooLargeError
    return [content for content in found if content]
