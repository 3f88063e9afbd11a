"""Serves the files that browsers run, byte for byte as in git, and compressed for whoever can take that."""

from __future__ import annotations

import gzip
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from reclaim.sitekit.access import Access, access_of
from reclaim.sitekit.served import digest_of

_COMPRESSOR = Compressor(quiet=True)
LARGE = 4 * 2**20
"""Bytes from which on a file is compressed fast rather than well: a site's first start waits for it."""


def _compressed(content: bytes, digest: str, name: str, data: Path) -> Path | None:
    """A file in the data folder that holds ``content`` compressed, or ``None`` where that saves next to nothing.

    Its name is made from the content, so that it can never be another file's or another version's; it is made once,
    by whichever process is first.
    """
    if not _COMPRESSOR.should_compress(name):
        return None
    folder = data / "compressed"
    path = folder / f"{digest.removeprefix('sha256-').replace('/', '_').rstrip('=')}.gz"
    if not path.exists():
        made = gzip.compress(content, 1, mtime=0) if len(content) > LARGE else _COMPRESSOR.compress_gzip(content)
        if not _COMPRESSOR.is_compressed_effectively("gzip", name, len(content), made):
            return None
        folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as draft:
            draft.write(made)
        Path(draft.name).replace(path)
    return path


@cache
def _served(path: Path, changed: int, data: Path) -> tuple[str, Path | None]:
    """The digest of a file that was last changed at ``changed``, and its compressed form."""
    content = path.read_bytes()
    digest = digest_of(content)
    return digest, _compressed(content, digest, path.name, data)


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # it has no types
    """WhiteNoise, whose compressed files are not beside the originals but in the data folder."""

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        """One file, and its compressed form."""
        file = Path(path)
        digest, compressed = _served(file, file.stat().st_mtime_ns, Path(settings.DATA))
        headers = self._headers_of(path, url)
        # By content: machines that serve the same file agree. Weak, because it stands for the compressed form too.
        headers.append(("ETag", f'W/"{digest}"'))
        return StaticFile(path, headers, encodings={"gzip": str(compressed)} if compressed else None)

    def _headers_of(self, path: str, url: str) -> list[tuple[str, str]]:
        headers = Headers([])
        self.add_mime_headers(headers, path, url)
        self.add_cache_headers(headers, path, url)
        return headers.items()


class CompressPublicPages(GZipMiddleware):
    """Compress what is the same for everybody who asks: no secret can be told from its length (BREACH).

    That is an answer to a plain GET, without a query, of a public route, made without looking at the session.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress it, if it is such an answer."""
        view = request.resolver_match.func if request.resolver_match else None
        same_for_everybody = (
            view is not None
            and access_of(view) is Access.PUBLIC
            and request.method in ("GET", "HEAD")
            and not request.META.get("QUERY_STRING")
            and response.status_code == 200
            and not response.cookies
            and not request.session.accessed
        )
        return super().process_response(request, response) if same_for_everybody else response
