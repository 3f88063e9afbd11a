"""Where the bank is, and this platform's keys to it: a file beside the database, readable by its owner only."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from reclaim.client import Bank, BankClient, BankRefused, ExtraType, Keys, NativeClient, NativeKeys, Pinned, ask_about
from reclaim.client.connection import checked_base_url


class BankFileError(Exception):
    """The bank's address and keys are missing or unreadable; the sentence says what to do."""


class BankKeys(BaseModel):
    """What ``reclaim bank platform add NAME --json`` prints: a platform's name at a bank, and its keys."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = Field(min_length=1, max_length=80)
    platform_key: str | None = Field(None, min_length=1, max_length=500, repr=False)
    """Of version 2, for everything."""
    fetch_key: str | None = Field(None, min_length=1, max_length=500, repr=False)
    submit_key: str | None = Field(None, min_length=1, max_length=500, repr=False)
    feedback_key: str | None = Field(None, min_length=1, max_length=500, repr=False)
    subscription_key: str | None = Field(None, min_length=1, max_length=500, repr=False)
    """Of version 1, beside the others."""
    descriptors_key: str | None = Field(None, min_length=1, max_length=500, repr=False)
    """Of version 2, for fetching the extra types and for asking whether descriptors lie as in their picture; where
    there is none, the platform's own key is shown."""

    def missing(self, version: Version) -> list[str]:
        """Which keys are missing to speak this version."""
        if version == "v2":
            return [] if self.platform_key or self.fetch_key else ["platform_key"]
        needed = ("fetch_key", "submit_key", "feedback_key", "subscription_key")
        return [name for name in needed if getattr(self, name) is None]


Version = Literal["v1", "v2"]


class BankAccess(BankKeys):
    """A bank's address, the keys that it gave this platform, and what is kept of it so that nobody takes its place."""

    url: str
    """Where its endpoints are: ``https://bank.example/v2``, or the same with ``/v1``."""
    pinned: Pinned | None = None
    """Of version 2."""
    least_trust: int = Field(0, ge=0, le=100)
    """Signals that are trusted less are not taken."""
    extra_types: list[ExtraType] = []
    """What is followed besides, by a fetch of its own; the bank's key has to be for it. Of version 2."""

    @field_validator("url")
    @classmethod
    def _clean(cls, url: str) -> str:
        return checked_base_url(url)

    @model_validator(mode="after")
    def _whole(self) -> BankAccess:
        if self.version == "v2" and self.pinned is None:
            raise ValueError("Nothing is kept of this bank.")
        if missing := self.missing(self.version):
            raise ValueError(f"Keys are missing: {', '.join(missing)}.")
        return self

    @property
    def version(self) -> Version:
        """Of the exchange."""
        return "v2" if urlsplit(self.url).path.endswith("/v2") else "v1"

    def client(self, scratch: Path | None = None) -> Bank:
        """A client of this bank with these keys. ``scratch`` is a folder for a snapshot's parts; without one, none is
        taken.

        Raises ``ValueError`` for a key that is none.
        """
        if self.version == "v1":
            return BankClient(
                self.url,
                Keys(self.fetch_key or "", self.subscription_key or "", self.feedback_key, self.submit_key),
            )
        return NativeClient(
            self.url, self._native_keys(), pinned=self.pinned, scratch=scratch, least_trust=self.least_trust
        )

    def extra_client(self) -> NativeClient | None:
        """A client that fetches the extra types and has placements checked; ``None`` where none is followed."""
        return self._extra_client(self.extra_types) if self.extra_types and self.version == "v2" else None

    def acknowledging_client(self, types: Sequence[ExtraType]) -> NativeClient | None:
        """A client for the word that of these extra types all is deleted; ``None`` without a key."""
        client = self._extra_client(types) if types and self.version == "v2" else None
        return client if client and client.can_give_feedback else None

    def _extra_client(self, types: Sequence[ExtraType]) -> NativeClient:
        return NativeClient(
            self.url,
            self._native_keys(),
            pinned=self.pinned,
            least_trust=self.least_trust,
            types=[each.value for each in types],
        )

    def _native_keys(self) -> NativeKeys:
        usual = self.platform_key or self.fetch_key or ""
        extra = self.descriptors_key or usual
        return NativeKeys(
            usual,
            self.platform_key or self.feedback_key,
            self.platform_key or self.submit_key,
            descriptors=extra,
            sources=extra,
        )


def find_bank(url: str, keys: BankKeys, least_trust: int = 0, extra_types: Sequence[ExtraType] = ()) -> BankAccess:
    """The bank at an address, asked which version it speaks: the second if it can, or if the address ends in ``/v2``.

    One that ends in ``/v1`` is taken at its word, and not asked. Raises ``ValueError`` for an address or keys that
    cannot be used, ``BankError`` where the bank does not answer.
    """
    base = checked_base_url(url)
    version = urlsplit(base).path.rpartition("/")[2]
    bare = base.removesuffix("/v1").removesuffix("/v2")
    pinned = None
    if version != "v1":
        try:
            pinned = Pinned.of(ask_about(f"{bare}/v2"))
        except BankRefused as error:
            if version == "v2" or error.status != 404:
                raise
    speaks: Version = "v2" if pinned else "v1"
    if missing := keys.missing(speaks):
        raise ValueError(f"These keys are not complete ({', '.join(missing)}). Ask the bank for all of them.")
    if least_trust and not pinned:
        raise ValueError("This bank speaks version 1 of the exchange, which does not tell how far a signal is trusted.")
    if extra_types and not pinned:
        raise ValueError("This bank speaks version 1 of the exchange, which has neither descriptors nor sources.")
    access = BankAccess(
        **keys.model_dump(),
        url=f"{bare}/{speaks}",
        pinned=pinned,
        least_trust=least_trust,
        extra_types=sorted(set(extra_types)),
    )
    if (client := access.extra_client()) is not None:
        client.fetch_page(limit=1)
    return access


def save_bank(path: Path, access: BankAccess) -> None:
    """Write the file whole or not at all, mode 0600."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(access.model_dump(exclude_none=True), indent=2))
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
