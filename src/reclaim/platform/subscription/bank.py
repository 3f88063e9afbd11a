"""Where the bank is, and this platform's keys to it: a file beside the database, readable by its owner only."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from reclaim.client import BankClient, Keys
from reclaim.client.connection import checked_base_url


class BankFileError(Exception):
    """The bank's address and keys are missing or unreadable; the sentence says what to do."""


class BankAccess(BaseModel):
    """A bank's address, and the keys that it gave this platform."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    url: str
    """Where its endpoints are, as ``https://bank.example/v1``; ``/v1`` is added to an address without a path."""
    name: str = Field(min_length=1, max_length=80)
    """This platform's name at the bank."""
    fetch_key: str = Field(min_length=1, max_length=500, repr=False)
    submit_key: str = Field(min_length=1, max_length=500, repr=False)
    feedback_key: str = Field(min_length=1, max_length=500, repr=False)
    subscription_key: str = Field(min_length=1, max_length=500, repr=False)

    @field_validator("url")
    @classmethod
    def _clean(cls, url: str) -> str:
        bare = checked_base_url(url)
        return bare if urlsplit(bare).path else f"{bare}/v1"

    def client(self) -> BankClient:
        """A client of this bank with these keys."""
        return BankClient(self.url, Keys(self.fetch_key, self.subscription_key, self.feedback_key, self.submit_key))


def save_bank(path: Path, access: BankAccess) -> None:
    """Write the file whole or not at all, mode 0600."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(access.model_dump(), indent=2))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def load_bank(path: Path) -> BankAccess:
    """Read the file. Raises ``BankFileError``."""
    try:
        return BankAccess.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise BankFileError(
            "This platform knows no bank yet. Start with: reclaim platform init --data DIR --bank URL"
        ) from None
    except (OSError, ValidationError):
        raise BankFileError(
            f"{path.name} in the data folder cannot be read. Write it anew with: reclaim platform init"
        ) from None
