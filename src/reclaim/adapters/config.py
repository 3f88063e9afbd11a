"""The configuration of an adapter: one TOML file, and its secrets in files beside it that only their owner may read."""

from __future__ import annotations

import ipaddress
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from reclaim.adapters.errors import ConfigError

MOST_BYTES = 50 * 2**20
"""Of one file: the review site takes no more."""
_LONGEST_SECRET = 500
_INSIDE = (".internal", ".local", ".localhost", ".lan", ".home.arpa")
"""Ends of names that the public internet does not resolve."""


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("Write an address as https://site.example, without a name, password or question mark.")
    if parts.scheme == "http" and not _stays_here(parts.hostname):
        raise ValueError("Keys travel only over https, or over http to this machine or the network it stands in.")
    return text.rstrip("/")


def _stays_here(host: str) -> bool:
    """Whether a host is named by a private address, by a name without a dot, or by one of inside networks."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(_INSIDE)


Address = Annotated[str, Field(max_length=500), AfterValidator(_address)]
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A table of the file. A key that is not known is refused: it may be a mistyped one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReviewSiteSection(Section):
    """Where uploads are handed in."""

    address: Address
    upload_key_file: str = "upload-key.secret"
    first_look_seconds: Seconds = 15.0
    """A held file is asked for again after so long, then less and less often."""


class ListenSection(Section):
    """Where the software finds the adapter."""

    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)


class MastodonSection(Section):
    """A Mastodon server."""

    address: Address
    token_file: str = "token.secret"  # noqa: S105 the name of a file
    webhook_secret_file: str = "webhook.secret"  # noqa: S105 the name of a file
    media_hosts: list[str] = Field(min_length=1, max_length=20)
    media_in_private_network: bool = False
    profile_pictures: bool = True
    held: list[Literal["sensitive", "silence", "suspend", "report"]] = ["sensitive", "report"]
    blocked: list[Literal["sensitive", "silence", "suspend", "report"]] = ["suspend"]
    unreadable: list[Literal["report"]] = []


class MatrixSection(Section):
    """A Matrix server."""

    secret_file: str = "adapter.secret"  # noqa: S105 the name of a file
    unreadable: Literal["refuse", "allow"] = "refuse"
    """Pictures and videos that could not be looked up."""


class S3Section(Section):
    """An S3-compatible store."""

    endpoint: Address | None = None
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key_file: str = "store.secret"  # noqa: S105 the name of a file
    webhook_secret_file: str = "webhook.secret"  # noqa: S105 the name of a file
    buckets: list[str] = Field(min_length=1, max_length=100)
    quarantine: str = Field(min_length=3, max_length=63)
    blocked: Literal["keep", "delete"] = "keep"
    """What becomes of a removed object: it stays in the quarantine, from where it can be given back, or is deleted."""
    unreadable: Literal["leave", "quarantine"] = "leave"

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.quarantine in self.buckets:
            raise ValueError("The quarantine has to be a bucket of its own.")
        return self


class FolderSection(Section):
    """A folder that is watched."""

    watch: str
    results: Literal["move", "report"] = "move"
    clear: str = "clear"
    held: str = "held"
    blocked: str = "blocked"
    unreadable: str = "unreadable"
    report: str = "report.jsonl"
    settle_seconds: Seconds = 2.0
    """A file that has not changed for so long counts as whole."""
    look_every_seconds: Seconds = 30.0
    """Besides what the system reports; some network folders report nothing."""


class Config(Section):
    """What every configuration has, and where it lies."""

    folder: Path
    queue: str = "queue.sqlite3"
    at_once: int = Field(2, ge=1, le=16)
    """Files handed in at the same time."""
    review_site: ReviewSiteSection

    def path(self, name: str) -> Path:
        """A file that the configuration names, from the folder in which the configuration lies."""
        return self.folder / name

    def secret(self, name: str) -> str:
        """The secret in a file. Raises ``ConfigError`` for one that is empty, or that others here may read."""
        path = self.path(name)
        try:
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ConfigError(f"Others on this machine may read {name}. Close it: chmod 600 {name}")
            text = path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise ConfigError(f"There is no file {name} beside the configuration. Put the secret into it.") from None
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"The file {name} cannot be read.") from None
        if not text or len(text) > _LONGEST_SECRET or not text.isascii() or not text.isprintable():
            raise ConfigError(f"The file {name} holds no secret yet. Put it there, as one line of letters and digits.")
        return text


class MastodonConfig(Config):
    """For Mastodon."""

    kind: Literal["mastodon"]
    listen: ListenSection
    mastodon: MastodonSection


class MatrixConfig(Config):
    """For Matrix."""

    kind: Literal["matrix"]
    listen: ListenSection
    matrix: MatrixSection


class S3Config(Config):
    """For an S3-compatible store."""

    kind: Literal["s3"]
    listen: ListenSection
    s3: S3Section


class FolderConfig(Config):
    """For a folder."""

    kind: Literal["folder"]
    folder_watch: FolderSection


AnyConfig = MastodonConfig | MatrixConfig | S3Config | FolderConfig
_any = TypeAdapter[AnyConfig](Annotated[AnyConfig, Field(discriminator="kind")])


def read_config(path: Path) -> AnyConfig:
    """Read a configuration. Raises ``ConfigError``."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"There is no {path.name} there. Make one with: reclaim platform adapter init KIND --folder FOLDER"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name} is not written as TOML: {error}.") from None
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path.name} cannot be read.") from None
    try:
        return _any.validate_python({**content, "folder": path.resolve().parent})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "kind"
        said = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise ConfigError(f"{path.name}, {where}: {said}.") from None
