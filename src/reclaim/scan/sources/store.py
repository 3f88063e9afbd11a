"""An S3-compatible store, by Arrow's own client: credentials and region from the usual environment and files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from reclaim.scan.errors import SourceNotFound, WorkerStop
from reclaim.scan.faults import UnsupportedKey
from reclaim.scan.sources.base import Source, Unit, faulty
from reclaim.signals import PictureTooLarge, UnreadableFile
from reclaim.signals.sources import MAX_BYTES

CONNECT_SECONDS, REQUEST_SECONDS, LISTING_SECONDS = 5, 10, 60
"""Silence after which a request is given up. A file takes two requests, and all attempts at them must be over well
before its process is thought to hang: else a store that hangs would make an error of every file."""
ATTEMPTS = 2
"""That the client makes at each request."""
WAITS = (0, 1)
"""Seconds before each attempt at a file."""

_REFUSED = ("ACCESS_DENIED", "HTTP status 403", "INVALID_OBJECT_STATE", "HTTP status 404", "NO_SUCH_KEY")


@lru_cache(maxsize=2)
def _opened(endpoint: str | None, seconds: float) -> Any:
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    options: dict[str, Any] = {}
    if endpoint is not None:
        address = urlsplit(endpoint)
        options = {"endpoint_override": address.netloc, "scheme": address.scheme}
        # Without a region the client would ask the public cloud in which one the bucket lies.
        options["region"] = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    retries = AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS)
    return S3FileSystem(connect_timeout=CONNECT_SECONDS, request_timeout=seconds, retry_strategy=retries, **options)


@dataclass(frozen=True)
class StoreSource(Source):
    """The objects below a prefix, which ends at a slash as a folder does. Names are keys without the prefix."""

    bucket: str
    prefix: str
    endpoint: str | None

    @classmethod
    def named(cls, address: str, endpoint: str | None) -> StoreSource:
        """The source for ``s3://bucket/prefix``. Raises ``SourceNotFound`` for what is no such address."""
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        if not bucket:
            raise SourceNotFound("The source names no bucket: write s3://bucket/prefix.")
        if endpoint is not None and urlsplit(endpoint).scheme not in ("http", "https"):
            raise SourceNotFound("The endpoint is no address: write it as https://store.example:9000.")
        return cls(bucket, prefix.strip("/"), endpoint)

    @property
    def _root(self) -> str:
        return f"{self.bucket}/{self.prefix}" if self.prefix else self.bucket

    def identity(self) -> dict[str, Any]:
        return {"kind": "s3", "bucket": self.bucket, "prefix": self.prefix, "endpoint": self.endpoint}

    def units(self) -> Iterator[Unit]:
        from pyarrow.fs import FileSelector, FileType

        waiting = [self._root]
        while waiting:
            folder = waiting.pop()
            try:
                found = _opened(self.endpoint, LISTING_SECONDS).get_file_info(FileSelector(folder))
            except OSError:
                raise WorkerStop("source") from None
            for entry in found:
                if entry.type == FileType.Directory and entry.path.rstrip("/") == folder:
                    # What lies below «a//» the client lists as «a» again, and again.
                    yield faulty(f"{folder}//".removeprefix(f"{self._root}/").encode(), UnsupportedKey)
                elif entry.type == FileType.Directory:
                    waiting.append(entry.path)
                elif entry.type == FileType.File:
                    name = entry.path.removeprefix(f"{self._root}/").encode(errors="surrogateescape")
                    yield Unit(name, size=entry.size)

    def read(self, name: bytes, part: int, offset: int, size: int) -> bytes:
        if size > MAX_BYTES:
            raise PictureTooLarge
        key = f"{self._root}/{name.decode(errors='surrogateescape')}"
        for wait in WAITS:
            time.sleep(wait)
            try:
                with _opened(self.endpoint, REQUEST_SECONDS).open_input_stream(key) as file:
                    data: bytes = file.read(MAX_BYTES + 1)
            except (OSError, pa.ArrowException) as error:
                if isinstance(error, FileNotFoundError) or any(each in str(error) for each in _REFUSED):
                    if self._lets_us_in():
                        raise UnreadableFile from None
                    break
            else:
                return data
        raise WorkerStop("store")

    def _lets_us_in(self) -> bool:
        """Whether anything below the prefix is there for us: a refusal may be of one file, or of all of them."""
        from pyarrow.fs import FileType

        try:
            found = _opened(self.endpoint, REQUEST_SECONDS).get_file_info(self._root)
        except (OSError, pa.ArrowException):
            return False
        return bool(found.type != FileType.NotFound)
