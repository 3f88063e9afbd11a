"""What can be wrong with one file, as a code that a table can hold and the sentence that goes with it."""

from __future__ import annotations

import re

from reclaim.signals import errors
from reclaim.signals.errors import SignalError


class LinkNotFollowed(SignalError):
    """A symbolic link, or a hard link in an archive."""

    sentence = "This is a link, and links are not followed: scan what it leads to."


class NotAFile(SignalError):
    """A named pipe, a socket or a device."""

    sentence = "This is no file but a pipe, a socket or a device: there is nothing to scan."


class UnreadableFolder(SignalError):
    """A folder that could not be listed, at all or to its end."""

    sentence = "This folder cannot be listed: check that you may read it, and scan it on its own."


class DamagedArchive(SignalError):
    """The archive, from here on, or this member of it cannot be read."""

    sentence = "This archive is damaged here: copy it again, or pack it anew."


class ArchiveBomb(SignalError):
    """The archive unpacks to out of proportion more than it holds."""

    sentence = "This archive unpacks to far more than it holds, as pictures never do: the rest of it was not read."


class UnsupportedMember(SignalError):
    """A member that is encrypted, sparse, or compressed in a rare way."""

    sentence = "This member is encrypted or packed in a rare way: pack it anew, without a password."


class UnreadableTable(SignalError):
    """A Parquet file, or a part of one, that could not be read."""

    sentence = (
        "This Parquet file cannot be read, or a part of it: write it anew, with smaller row groups if it is large."
    )


class UnreadableSignal(SignalError):
    """A row with no PDQ value of 256 bits."""

    sentence = "This row holds no PDQ value: 64 hexadecimal characters or 32 bytes are asked for."


class UnsupportedKey(SignalError):
    """All keys of a store that have an empty part here, as in ``a//b``."""

    sentence = "The store's client cannot list keys with an empty part, as in a//b: copy those objects to other keys."


def code_of(kind: type[SignalError]) -> str:
    """``not_a_picture`` for ``NotAPicture``, and so on."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind.__name__).lower()


_OWN = (
    LinkNotFollowed,
    NotAFile,
    UnreadableFolder,
    DamagedArchive,
    ArchiveBomb,
    UnsupportedMember,
    UnreadableTable,
    UnreadableSignal,
    UnsupportedKey,
)
_OF_SIGNALS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, SignalError)]

FAULTS: dict[str, type[SignalError]] = {code_of(kind): kind for kind in (*_OF_SIGNALS, *_OWN)}
"""Every kind of fault by its code."""


def sentence_of(code: str) -> str:
    """The sentence of a fault; that of any fault for a code that is none."""
    return FAULTS.get(code, SignalError).sentence
