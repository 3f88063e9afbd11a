"""From a code to the codes near it. Framework-free; knows nothing of banks, platforms or pictures.

``HammingIndex`` is the search, ``StoredIndex`` the same kept in a file that several processes share.
"""

from reclaim.index.codes import CODE_BYTES, MAX_RADIUS, Hits, ManyHits
from reclaim.index.errors import (
    DamagedFile,
    ForeignFile,
    IndexFileError,
    LogInUse,
    LogMismatch,
    TruncatedFile,
    UnknownVersion,
)
from reclaim.index.hamming import HammingIndex, Plan
from reclaim.index.stored import StoredIndex, create_stored

__all__ = [
    "CODE_BYTES",
    "MAX_RADIUS",
    "DamagedFile",
    "ForeignFile",
    "HammingIndex",
    "Hits",
    "IndexFileError",
    "LogInUse",
    "LogMismatch",
    "ManyHits",
    "Plan",
    "StoredIndex",
    "TruncatedFile",
    "UnknownVersion",
    "create_stored",
]
