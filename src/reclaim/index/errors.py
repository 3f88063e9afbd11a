"""Why a snapshot or a log is refused. Each sentence says what to do and holds no path."""

from __future__ import annotations


class IndexFileError(Exception):
    """A file of the index that cannot be used."""


class ForeignFile(IndexFileError):
    """The file is of another kind."""


class UnknownVersion(IndexFileError):
    """The file was written by a version of this software that is not this one."""


class TruncatedFile(IndexFileError):
    """The file ends before its end."""


class DamagedFile(IndexFileError):
    """The file's bytes are not those that were written."""


class LogMismatch(IndexFileError):
    """The log belongs to another snapshot."""


class LogInUse(IndexFileError):
    """Another process writes to this index."""
