"""Where files come from. A source lists its files once, in a process of its own, and hands them out to the workers."""

from __future__ import annotations

from pathlib import Path

from reclaim.scan.errors import SourceNotFound
from reclaim.scan.sources.base import PathSource, Source
from reclaim.scan.sources.folder import FolderSource
from reclaim.scan.sources.store import StoreSource
from reclaim.scan.sources.table import TableSource, is_table
from reclaim.scan.sources.tar import TarSource, is_tar
from reclaim.scan.sources.zip import ZipSource, is_zip

__all__ = ["PathSource", "Source", "open_source"]


def open_source(text: str, *, signals: bool = False, endpoint: str | None = None) -> Source:
    """What ``SOURCE`` names: ``s3://bucket/prefix``, a folder, an archive or a Parquet file, told by its first bytes.

    With ``signals`` a folder is one of Parquet files with signals. Raises ``SourceNotFound``.
    """
    if text.startswith("s3://"):
        return StoreSource.named(text, endpoint)
    try:
        path = Path(text).resolve(strict=True)
        if path.is_dir():
            return TableSource.at(path) if signals else FolderSource.at(path)
        if is_table(path):
            return TableSource.at(path)
        if is_zip(path):
            return ZipSource.at(path)
        if is_tar(path):
            return TarSource.at(path)
    except (OSError, ValueError):
        raise SourceNotFound("The source cannot be opened: check that it exists and that you may read it.") from None
    raise SourceNotFound(
        "The source is none that can be scanned: take a folder, a zip or tar archive (gzip, bzip2, xz or zstd), a "
        "Parquet file of signals, or s3://bucket/prefix."
    )
