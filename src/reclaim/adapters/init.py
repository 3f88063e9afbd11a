"""A fresh configuration with comments, and the files for its secrets."""

from __future__ import annotations

import os
import secrets
from importlib.resources import files
from pathlib import Path

from reclaim.adapters.errors import ConfigError

# By kind: the secrets that are made here, and those that somebody else gives.
_MADE = {"matrix": ("adapter.secret",), "s3": ("webhook.secret",)}
_GIVEN = {"mastodon": ("webhook.secret", "token.secret"), "s3": ("store.secret",)}
_UPLOAD_KEY = "upload-key.secret"


def init(kind: str, where: Path, review_site_address: str) -> list[str]:
    """Write a configuration with comments, and its files of secrets; the names of those that are still empty.

    Raises ``ConfigError`` for a folder that has one already, or cannot be written.
    """
    data = files("reclaim.adapters").joinpath("data")
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = data.joinpath(f"{kind}.toml").read_text(encoding="utf-8")
        _write(where / f"{kind}.toml", text.replace("REVIEW_SITE", review_site_address))
        if kind == "matrix":
            module = files("reclaim.adapters").joinpath("synapse_module.py").read_text(encoding="utf-8")
            _write(where / "reclaim_synapse.py", module, 0o644)
            script = data.joinpath("content-scanner.sh").read_text(encoding="utf-8")
            _write(where / "content-scanner.sh", script, 0o700)
        if kind == "folder":
            (where / "in").mkdir(exist_ok=True)
        for name in _MADE.get(kind, ()):
            _write(where / name, secrets.token_urlsafe(32) + "\n")
        empty = [_UPLOAD_KEY, *_GIVEN.get(kind, ())]
        for name in empty:
            _write(where / name, "")
    except FileExistsError as error:
        raise ConfigError(f"There is a {Path(str(error.filename)).name} already; nothing is written over.") from None
    except OSError as error:
        raise ConfigError(f"This folder cannot be written ({error.strerror}).") from None
    return empty


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
