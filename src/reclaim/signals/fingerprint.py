"""From one file to its signals."""

from __future__ import annotations

from pathlib import Path

from reclaim.signals.luma import luma_of_bytes
from reclaim.signals.pdq import pdq_of_luma
from reclaim.signals.sources import md5_of, read_bytes
from reclaim.signals.values import PictureSignals, Signal


def fingerprint(source: bytes | Path) -> PictureSignals:
    """PDQ, its quality and MD5 of one picture. A poor PDQ is returned as it is; `insist()` refuses it.

    Raises UnreadableFile, EmptyFile, NotAPicture, TruncatedPicture, PictureTooLarge.
    """
    data = read_bytes(source)
    value, quality = pdq_of_luma(luma_of_bytes(data))
    return PictureSignals(value, quality, md5_of(data))


def pdq_signal(path: Path) -> Signal:
    """The PDQ signal of one picture file. Raises as `fingerprint` does."""
    value, quality = pdq_of_luma(luma_of_bytes(read_bytes(path)))
    return Signal("pdq", value, quality)


def md5_signal(path: Path) -> Signal:
    """The MD5 signal of one file of any kind and size. Raises UnreadableFile, EmptyFile."""
    return Signal("md5", md5_of(path))
