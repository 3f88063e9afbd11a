"""Photographs, the signals of a bank as its feed brings them, and the platform's own system as a caller."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.test import Client
from PIL import Image

from reclaim.client import Checkpoint
from reclaim.client.records import change_of
from reclaim.platform.inbox.store import DatabaseStore
from reclaim.protocol.stopncii_v1 import Feedback, FeedbackValue, HashRecord, HashStatus, SignalType
from reclaim.signals import Frame, fingerprint, frames_text, vpdq_value

PHOTOS = Path(__file__).parents[2] / "photos"
ASTRONAUT, CAT, COFFEE, GALAXIES = (PHOTOS / f"{name}.jpg" for name in ("astronaut", "cat", "coffee", "galaxies"))


@lru_cache
def pdq(photo: Path) -> str:
    """The PDQ value of a photograph."""
    return fingerprint(photo).pdq


def record(
    value: str, status: HashStatus = HashStatus.ACTIVE, at: int = 1_700_000_000, **said: FeedbackValue
) -> HashRecord:
    """A record of the feed; ``said`` is what each platform said."""
    return HashRecord(
        lastModtimestamp=at,
        signalType=SignalType.IMAGE_PDQ if len(value) == 64 else SignalType.VIDEO_MD5,
        hashValue=value,
        hashStatus=status,
        caseNumbers={},
        CSPFeedbacks=[Feedback(source=source, feedbackValue=word) for source, word in said.items()],
    )


def bank_sends(*records: HashRecord, generation: int = 1) -> None:
    """Apply one page of the feed."""
    store = DatabaseStore()
    before = store.load_checkpoint()
    checkpoint = Checkpoint(next_timestamp=1_700_000_000, generation=generation, writes=before.writes if before else 0)
    store.apply([change_of(each) for each in records], checkpoint.to_store(), before)


def video_record(frames: Sequence[Frame], status: HashStatus = HashStatus.ACTIVE, *labels: str) -> HashRecord:
    """A record of a video's frames."""
    return HashRecord(
        lastModtimestamp=1_700_000_000,
        signalType=SignalType.VIDEO_VPDQ,
        hashValue=vpdq_value(frames),
        hashStatus=status,
        caseNumbers={},
        frames=None if status.is_tombstone else frames_text(frames),
        labels=list(labels),
    )


def bank_has(*photos: Path) -> None:
    """The bank has the signals of these photographs."""
    bank_sends(*(record(pdq(photo)) for photo in photos))


def bank_withdraws(*photos: Path) -> None:
    """The bank sends tombstones of these photographs' signals."""
    bank_sends(*(record(pdq(photo), HashStatus.WITHDRAWN) for photo in photos))


def edited(photo: Path) -> bytes:
    """A copy as somebody would upload it: smaller, of poor JPEG quality."""
    with Image.open(photo) as image:
        copy = image.resize((image.width // 2, image.height // 2))
        out = io.BytesIO()
        copy.convert("RGB").save(out, "JPEG", quality=60)
    return out.getvalue()


class PlatformApi:
    """The platform's own system, with its upload key."""

    def __init__(self, key: str) -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {key}"}

    def upload(self, data: bytes, content_type: str = "image/jpeg") -> HttpResponse:
        """Upload as the raw body."""
        return self.client.post("/api/uploads", data, content_type=content_type, headers=self.headers)  # type: ignore[return-value]

    def uploaded(self, data: bytes) -> Any:
        """Upload, and the answer as JSON."""
        answer = self.upload(data)
        assert answer.status_code == 201, answer.content
        return answer.json()  # type: ignore[attr-defined]

    def get(self, path: str) -> Any:
        """Any GET, as JSON."""
        answer = self.client.get(path, headers=self.headers)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def decide(self, match: str, decision: str, **more: Any) -> HttpResponse:
        """Decide a match."""
        body = {"decision": decision, "reviewer": "Ada", **more}
        return self.client.post(  # type: ignore[return-value]
            f"/api/matches/{match}/decision", body, content_type="application/json", headers=self.headers
        )
