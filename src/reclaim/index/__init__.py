"""From a code to the codes near it. Framework-free; knows nothing of banks, platforms or pictures.

``HammingIndex`` is the search, ``StoredIndex`` the same kept in a file that several processes share; ``ExactIndex`` and
``FrameIndex`` keep exact hashes and videos in either.
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
from reclaim.index.exact import ExactIndex, ManyEqual, code_of_digest, codes_of_digests
from reclaim.index.frames import FrameIndex, VideoHit
from reclaim.index.hamming import HammingIndex, Plan
from reclaim.index.pair import create_stored
from reclaim.index.stored import StoredIndex

__all__ = [
    "CODE_BYTES",
    "MAX_RADIUS",
    "DamagedFile",
    "ExactIndex",
    "ForeignFile",
    "FrameIndex",
    "HammingIndex",
    "Hits",
    "IndexFileError",
    "LogInUse",
    "LogMismatch",
    "ManyEqual",
    "ManyHits",
    "Plan",
    "StoredIndex",
    "TruncatedFile",
    "UnknownVersion",
    "VideoHit",
    "code_of_digest",
    "codes_of_digests",
    "create_stored",
]
