"""What can be wrong with a file. Each sentence says what to do and never holds the file's name or content."""

from __future__ import annotations


class SignalError(Exception):
    """A file gave no signal. `str(error)` is one sentence for a person."""

    sentence = "This file could not be fingerprinted: try another copy of the picture."

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)


class NotAPicture(SignalError):
    """The bytes are of no picture format this project reads, or of a rare kind it refuses."""

    sentence = "This file is no picture that can be read: take a JPEG, PNG, WebP, GIF, AVIF, HEIC, TIFF or BMP."


class EmptyFile(SignalError):
    """The file has no bytes."""

    sentence = "This file is empty: copy or download it again."


class TruncatedPicture(SignalError):
    """The file begins as a picture and cannot be decoded to its end."""

    sentence = "This picture is cut short or damaged: copy or download the whole file again."


class PictureTooLarge(SignalError):
    """The file, its sides or the work it asks for exceed the limits in `reclaim.signals.containers`."""

    sentence = "This picture is too large to be read safely: save a smaller copy of it and choose that."


class NotAVideo(SignalError):
    """The bytes are of no video format this project reads, or hold no video."""

    sentence = "This file is no video that can be read: take an MP4, MOV, WebM or MKV."


class UnsupportedVideo(SignalError):
    """The video is packed in a way that this project does not decode."""

    sentence = "This video is packed in a way that cannot be read: save it as an ordinary MP4 and choose that."


class EncryptedVideo(SignalError):
    """The video can be played with a key only."""

    sentence = "This video is encrypted: choose a copy that plays without a password or an account."


class TruncatedVideo(SignalError):
    """The file begins as a video and no frame of it can be decoded."""

    sentence = "This video is cut short or damaged: copy or download the whole file again."


class VideoTooLarge(SignalError):
    """The frames' sides, their number or the memory they ask for exceed the limits in `reclaim.signals.video`."""

    sentence = "This video is too large to be read safely: save a smaller copy of it and choose that."


class UnreadableFile(SignalError):
    """The file is missing, is not a regular file, or may not be read."""

    sentence = "This file cannot be opened: check that it exists and that you may read it."


class DecoderStopped(SignalError):
    """The process that decoded the file was stopped, by the file or by the time limit."""

    sentence = "Reading this file failed half-way: save it anew in another program and choose that."


class PoorSignal(SignalError):
    """The picture has too little detail for its signal to tell it from others."""

    sentence = "This picture has too little detail for a reliable fingerprint: choose a clearer copy of it."
