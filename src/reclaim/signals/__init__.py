"""From a file to its signals: decode, PDQ, MD5, quality, distance. No web, no database, nothing written."""

from reclaim.signals.display import read_display
from reclaim.signals.errors import (
    DecoderStopped,
    EmptyFile,
    EncryptedVideo,
    NotAPicture,
    NotAVideo,
    PictureTooLarge,
    PoorSignal,
    SignalError,
    TruncatedPicture,
    TruncatedVideo,
    UnreadableFile,
    UnsupportedVideo,
    VideoTooLarge,
)
from reclaim.signals.fingerprint import fingerprint, md5_signal, pdq_signal
from reclaim.signals.frames import Frame, frames_text, parse_frames, vpdq_value
from reclaim.signals.luma import read_luma
from reclaim.signals.many import signals_of
from reclaim.signals.pdq import pdq_of_luma, pdq_of_rgb, pdq_of_turns, turns
from reclaim.signals.sources import md5_of
from reclaim.signals.values import (
    MATCH_DISTANCE,
    POOR_QUALITY,
    Pdq,
    PictureSignals,
    Signal,
    hamming,
    is_degenerate,
    parse_md5,
    parse_pdq,
)

__all__ = [
    "MATCH_DISTANCE",
    "POOR_QUALITY",
    "DecoderStopped",
    "EmptyFile",
    "EncryptedVideo",
    "Frame",
    "NotAPicture",
    "NotAVideo",
    "Pdq",
    "PictureSignals",
    "PictureTooLarge",
    "PoorSignal",
    "Signal",
    "SignalError",
    "TruncatedPicture",
    "TruncatedVideo",
    "UnreadableFile",
    "UnsupportedVideo",
    "VideoTooLarge",
    "fingerprint",
    "frames_text",
    "hamming",
    "is_degenerate",
    "md5_of",
    "md5_signal",
    "parse_frames",
    "parse_md5",
    "parse_pdq",
    "pdq_of_luma",
    "pdq_of_rgb",
    "pdq_of_turns",
    "pdq_signal",
    "read_display",
    "read_luma",
    "signals_of",
    "turns",
    "vpdq_value",
]
