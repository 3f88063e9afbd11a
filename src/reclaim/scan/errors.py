"""Why a scan cannot begin or go on. Each sentence says what to do and holds no path, no file name and no signal."""

from __future__ import annotations


class ScanError(Exception):
    """A scan that cannot begin or go on; what is done already stays done."""


class SourceNotFound(ScanError):
    """Nothing is where the source should be, or it may not be read."""


class IndexNotUsable(ScanError):
    """The index is missing or damaged."""


class FolderInUse(ScanError):
    """Another process scans into this folder."""


class OtherScan(ScanError):
    """The folder holds a scan of something else."""


class NothingToResume(ScanError):
    """The folder holds no scan, and too little was said to begin one."""


class EngineMissing(ScanError):
    """The engine is not installed, or cannot be reached."""


class ScanStopped(ScanError):
    """Something every file depends on stopped working; run the same command to go on from there."""


STOPS = {
    "source": "The source went away or cannot be listed. Bring it back and run the same command again.",
    "store": "The store stopped answering, or no longer lets this key in. Mend that, then run the same command to go "
    "on.",
    "packed": "The source is a packed file, but no tar archive begins in it: unpack it, and scan what was in it.",
    "index": "A worker cannot open the index that this scan began with. Every machine must see the output folder "
    "under the same path; then run the same command to go on.",
    "worker": "A process of this scan died, and no single file is to blame. See that there is enough memory, and run "
    "the same command to go on. If it always stops there and the source is an archive, unpack it and scan the folder.",
}
"""By the code that a worker sends: no text of a worker's own is ever shown."""


class WorkerStop(Exception):
    """Raised in a worker where going on would make an error of every file; the argument is a code of ``STOPS``."""
