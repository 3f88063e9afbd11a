"""Videos that are uploaded: matched both ways, held, looked at, decided with a reason."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.test import Client

from bench import clips
from reclaim.index import FrameIndex, StoredIndex
from reclaim.platform.inbox import services
from reclaim.platform.inbox.models import Upload
from reclaim.platform.outcomes.queries import due
from reclaim.platform.subscription.index_files import update_index_files
from reclaim.platform.subscription.models import KnownSignal
from reclaim.protocol.stopncii_v1 import MADE_WITH_AI, HashStatus
from reclaim.signals import Frame, md5_of
from reclaim.signals.video import read_frames
from reclaim.signals.video_views import MOST_STILLS
from tests.personas import clip_frames
from tests.site.platform.world import PlatformApi, bank_sends, record, video_record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return clips.write(path, clips.film(clips.photographs()[:3], 5.0, seed=3)).read_bytes()


@pytest.fixture(scope="module")
def frames(film: bytes) -> list[Frame]:
    return read_frames(film)


def test_a_video_that_holds_a_known_one_is_held_with_how_much_of_each_is_in_the_other(
    api: PlatformApi, film: bytes, frames: list[Frame], data_folder: Path, reviewer: Client
) -> None:
    bank_sends(video_record(frames + clip_frames(9, 25)[20:], HashStatus.ACTIVE, MADE_WITH_AI))
    answer = api.upload(film, "video/mp4").json()  # type: ignore[attr-defined]
    (match,) = answer["matches"]
    assert (answer["kind"], answer["status"], match["distance"], match["turn"]) == ("video", "held", None, "original")
    assert (match["query_percent"], match["video_percent"]) == (100.0, 50.0)
    stills = len(list((data_folder / "uploads").iterdir()))
    assert 3 <= stills <= MOST_STILLS
    page = reviewer.get(f"/matches/{match['match']}/").content.decode()
    assert "100 % of this upload is in the known video; 50 % of the known video is in this upload." in page
    assert "0:00 to 0:05 of this upload is 0:00 to 0:05 of the known video." in page
    assert "The person says: made or changed with AI" in page
    seen = [reviewer.get(f"/matches/{match['match']}/picture?still={still}") for still in range(1, stills + 2)]
    assert [each.status_code for each in seen] == [200] * stills + [410]
    assert {each.headers["Content-Type"] for each in seen[:-1]} == {"image/jpeg"}

    sent = {"decision": "not-blocked", "reason": "allowed-here"}
    same_origin = {"Sec-Fetch-Site": "same-origin"}
    assert reviewer.post(f"/matches/{match['match']}/decision", sent, headers=same_origin).status_code == 302
    (word,) = due(10)
    assert (word.decision, word.reason) == ("not-blocked", "allowed-here")
    assert api.get(f"/api/uploads/{answer['upload']}")["status"] == "clear"


def test_a_known_file_is_held_even_where_nobody_can_decode_it(api: PlatformApi, film: bytes, reviewer: Client) -> None:
    broken = film[:2000]
    bank_sends(record(md5_of(broken)))
    answer = api.uploaded(broken)
    (match,) = answer["matches"]
    assert (answer["status"], match["distance"], match["query_percent"]) == ("held", 0, None)
    page = reviewer.get(f"/matches/{match['match']}/").content.decode()
    assert "Nothing can be shown of this video" in page
    assert "the very same file" in page


def test_another_video_is_clear_and_one_that_cannot_be_read_is_refused_with_a_sentence(
    api: PlatformApi, film: bytes
) -> None:
    bank_sends(video_record(clip_frames(1, 5)))
    assert api.uploaded(film)["status"] == "clear"
    assert Upload.objects.get().kind == "video"
    refused = api.upload(film[:2000])
    assert refused.status_code == 422
    assert "cut short" in refused.json()["detail"]  # type: ignore[attr-defined]


def test_a_reason_that_is_none_of_ours_is_refused(api: PlatformApi, film: bytes, frames: list[Frame]) -> None:
    bank_sends(video_record(frames))
    match = api.uploaded(film)["matches"][0]["match"]
    assert api.decide(match, "not-blocked", reason="because").status_code == 400
    assert api.decide(match, "not-blocked", reason="cannot-tell").status_code == 200


def test_videos_come_and_go_in_the_index_files_and_in_what_uploads_are_matched_with(
    api: PlatformApi, film: bytes, frames: list[Frame], data_folder: Path, settings: object
) -> None:
    settings.DATA = data_folder  # type: ignore[attr-defined]
    bank_sends(video_record(clip_frames(1, 5)))
    assert update_index_files()
    other = KnownSignal.objects.get().pk
    bank_sends(video_record(frames))
    assert update_index_files()
    key = KnownSignal.objects.get(value=video_record(frames).hashValue).pk
    with StoredIndex(data_folder / "index" / "video.index") as stored:
        videos = FrameIndex(stored)
        assert videos.count(key) == len(frames)
        bank_sends(video_record(frames, HashStatus.WITHDRAWN))
        assert update_index_files()
        stored.refresh()
        assert key not in videos
        assert videos.count(other) == 5
    assert api.uploaded(film)["status"] == "clear"


def test_a_video_does_not_wait_for_slow_ones_without_end(
    api: PlatformApi, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = services._video_decoder()
    busy = [crew._idle.get() for _ in range(services.VIDEO_DECODERS)]
    monkeypatch.setattr(services, "VIDEO_PATIENCE", 0.05)
    for waiting in (True, False):
        answer = api.upload(film, "video/mp4")
        assert (answer.status_code, answer["Retry-After"]) == (503, "30"), "nobody waits longer, and only few at all"
        if waiting:
            monkeypatch.setattr(services, "_videos", threading.BoundedSemaphore(1))
            services._videos.acquire()
    services._videos.release()
    for decoder in busy:
        crew._idle.put(decoder)
    assert not Upload.objects.exists()
    assert api.uploaded(film)["status"] == "clear"


def test_a_little_of_a_known_video_is_looked_at_and_not_kept_back(
    api: PlatformApi, film: bytes, frames: list[Frame], reviewer: Client
) -> None:
    bank_sends(video_record(frames[:2] + clip_frames(9, 25)[len(frames) :]))
    answer = api.uploaded(film)
    (match,) = answer["matches"]
    assert max(match["query_percent"], match["video_percent"]) < 50
    assert (answer["status"], answer["under_review"]) == ("clear", True)
    assert "public while you look" in reviewer.get(f"/matches/{match['match']}/").content.decode()
    assert api.decide(match["match"], "blocked").json()["upload_status"] == "blocked"  # type: ignore[attr-defined]
