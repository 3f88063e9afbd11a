"""From files on this machine to what a bank keeps of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reclaim.signals import NotAPicture, NotAVideo, Signal, SignalError, fingerprint, frames_text, vpdq_value
from reclaim.signals.video import VideoSignals, videos_of

if TYPE_CHECKING:
    from reclaim.bank.cases.services import NewItem


@dataclass(frozen=True)
class ReadFile:
    """A file that is of use: its signals."""

    path: Path
    made: Signal | VideoSignals

    def as_json(self) -> list[dict[str, Any]]:
        """Its signals, as the command prints them."""
        if isinstance(self.made, Signal):
            return [{"type": self.made.type, "value": self.made.value, "quality": self.made.quality}]
        exact = {"type": "md5", "value": self.made.md5}
        frames = frames_text(self.made.frames)
        return [exact, {"type": "vpdq", "value": vpdq_value(self.made.frames), "frames": frames}] if frames else [exact]


class HarmlessError(Exception):
    """The file's signal is that of something that many people have."""

    def __init__(self) -> None:
        super().__init__("This looks like something harmless that many people have; it would match their pictures too.")


def read_file(path: Path) -> ReadFile:
    """The signals of a picture or a video. Raises ``SignalError``."""
    try:
        picture = fingerprint(path).insist()
    except NotAPicture as error:
        # A process of its own, with limits: a video is much to decode.
        [made] = videos_of([path], jobs=1)
        if isinstance(made, NotAVideo):
            raise error from made
        if isinstance(made, SignalError):
            raise made from error
        return ReadFile(path, made)
    return ReadFile(path, Signal("pdq", picture.pdq, picture.quality))


def items_of(files: Sequence[ReadFile], made_with_ai: str) -> tuple[list[NewItem], list[tuple[Path, HarmlessError]]]:
    """What a case takes of these files, screened as everybody's; needs an open site."""
    from reclaim.bank.cases.models import CaseItem
    from reclaim.bank.cases.services import NewItem, NewSignal
    from reclaim.bank.screening.queries import Candidate, screen

    items, refused = [], []
    for number, file in enumerate(files, start=1):
        signals: list[NewSignal] = []
        held_for: list[str] = []
        for signal in file.as_json():
            frames = tuple(signal.get("frames", ()))
            [verdict] = screen([Candidate(signal["type"], "" if frames else signal["value"], frames)])
            if verdict.refused is not None:
                continue
            # Frames that are harmless by themselves were left out.
            value = vpdq_value(verdict.frames) if frames else verdict.value
            signals.append(NewSignal(signal["type"], value, tuple(frames_text(verdict.frames))))
            held_for += verdict.held_for
        kind = CaseItem.Kind.PICTURE if isinstance(file.made, Signal) else CaseItem.Kind.VIDEO
        if signals:
            items.append(NewItem(number, kind, tuple(signals), made_with_ai, tuple(held_for)))
        else:
            refused.append((file.path, HarmlessError()))
    return items, refused
