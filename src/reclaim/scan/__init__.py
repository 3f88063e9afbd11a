"""A back catalogue against a bank's signals: folders, archives, object stores and tables of signals.

``scan`` does a whole source, resumable after any interruption; ``scan_batch`` is the kernel it is made of, Arrow in and
Arrow out, for whoever has an engine of their own. docs/scan.md says how it is used.
"""

from reclaim.scan.counts import Counts
from reclaim.scan.errors import (
    EngineMissing,
    FolderInUse,
    IndexNotUsable,
    NothingToResume,
    OtherScan,
    ScanError,
    ScanStopped,
    SourceNotFound,
)
from reclaim.scan.indexes import Indexes, open_indexes
from reclaim.scan.kernel import ScanOptions, scan_batch
from reclaim.scan.run import Request, Summary, scan
from reclaim.scan.schema import RESULTS

__all__ = [
    "RESULTS",
    "Counts",
    "EngineMissing",
    "FolderInUse",
    "IndexNotUsable",
    "Indexes",
    "NothingToResume",
    "OtherScan",
    "Request",
    "ScanError",
    "ScanOptions",
    "ScanStopped",
    "SourceNotFound",
    "Summary",
    "open_indexes",
    "scan",
    "scan_batch",
]
