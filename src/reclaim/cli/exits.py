"""Exit codes, one meaning each; docs/commands.md lists them and a test holds the two together.

0 is success, 1 an error that has no code of its own, 2 a command line that could not be read (click's own).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reclaim.signals import SignalError


class Exit(IntEnum):
    """What a command's exit status says."""

    OK = 0
    ERROR = 1
    USAGE = 2
    NOT_A_PICTURE = 10
    EMPTY_FILE = 11
    TRUNCATED = 12
    TOO_LARGE = 13
    POOR_SIGNAL = 14
    FILE_NOT_FOUND = 15
    NOT_A_VIDEO = 16
    UNSUPPORTED_VIDEO = 17
    ENCRYPTED_VIDEO = 18
    LOOP_STEP_FAILED = 20
    EDIT_NOT_FOUND = 21
    WRONG_NUMBER_OR_PIN = 30
    NAME_TAKEN = 31
    BANK_UNREACHABLE = 32
    REFUSED_BY_BANK = 33
    DIFFERS = 40
    NO_SOURCE = 41
    DOES_NOT_CONFORM = 50
    HELD = 60
    REMOVED = 61
    NOT_LOOKED_UP = 62


def exit_for(errors: Sequence[SignalError]) -> Exit:
    """The exit code for files that could not be fingerprinted: their own if they share one, else ``ERROR``."""
    # Commands that read no file need none of what reads files.
    from reclaim.signals import errors as kinds

    by_error: dict[type[SignalError], Exit] = {
        kinds.NotAPicture: Exit.NOT_A_PICTURE,
        kinds.EmptyFile: Exit.EMPTY_FILE,
        kinds.TruncatedPicture: Exit.TRUNCATED,
        kinds.PictureTooLarge: Exit.TOO_LARGE,
        kinds.PoorSignal: Exit.POOR_SIGNAL,
        kinds.UnreadableFile: Exit.FILE_NOT_FOUND,
        kinds.NotAVideo: Exit.NOT_A_VIDEO,
        kinds.UnsupportedVideo: Exit.UNSUPPORTED_VIDEO,
        kinds.EncryptedVideo: Exit.ENCRYPTED_VIDEO,
        kinds.TruncatedVideo: Exit.TRUNCATED,
        kinds.VideoTooLarge: Exit.TOO_LARGE,
    }
    codes = {by_error.get(type(error), Exit.ERROR) for error in errors}
    return codes.pop() if len(codes) == 1 else Exit.ERROR
