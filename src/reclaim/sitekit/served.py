"""The files that browsers run, as they stand in git: which there are, and their digests.

Needs no Django, so that a command can compare them with what a bank serves.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import reclaim

WEB = Path(__file__).resolve().parent.parent / "web"


@dataclass(frozen=True)
class ServedFile:
    """One file: where it is here, its ``sha256-<base64>`` as browsers write it, and its length in bytes."""

    path: Path
    digest: str
    length: int


def digest_of(content: bytes) -> str:
    """``sha256-<base64>``, as in an ``integrity`` attribute."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content).digest()).decode()


@cache
def served_files() -> Mapping[str, ServedFile]:
    """Every file below ``web/``, by its path there with ``/`` between the parts, in order."""
    found = {}
    for path in sorted(
        (path for path in WEB.rglob("*") if path.is_file()), key=lambda path: path.relative_to(WEB).as_posix()
    ):
        content = path.read_bytes()
        found[path.relative_to(WEB).as_posix()] = ServedFile(path, digest_of(content), len(content))
    return MappingProxyType(found)


def manifest() -> dict[str, object]:
    """What ``/files.json`` says: ``{"version", "files": {path: {"digest", "bytes"}}}``. The same for the same files."""
    return {
        "version": reclaim.__version__,
        "files": {path: {"digest": file.digest, "bytes": file.length} for path, file in served_files().items()},
    }
