"""Frames of videos and labels in the feed: for those who ask, and nothing changes for those who do not."""

from __future__ import annotations

import pytest

from reclaim.bank.cases.models import CaseItem
from reclaim.bank.cases.services import NewCase, NewItem, NewSignal, create_case, withdraw
from reclaim.bank.feedback.services import erase_tombstones
from reclaim.bank.ledger import queries
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.client.records import read_page
from reclaim.protocol.stopncii_v1 import HashStatus, SignalType
from reclaim.signals import frames_text, vpdq_value
from tests.personas import ActingPlatform, clip_frames, pdq_value

pytestmark = pytest.mark.django_db


def a_video(seed: int, count: int = 3, number: int = 1, made_with_ai: str = "unsaid") -> NewItem:
    frames = clip_frames(seed, count)
    signals = (
        NewSignal("md5", f"{seed:032x}"),
        NewSignal("vpdq", vpdq_value(frames), tuple(frames_text(frames))),
    )
    return NewItem(number, CaseItem.Kind.VIDEO, signals, made_with_ai)


def a_case(*items: NewItem) -> NewCase:
    return create_case(list(items))


def test_who_does_not_ask_for_frames_sees_what_stopncii_s_own_client_always_saw():
    platform = ActingPlatform.vetted()
    a_case(a_video(1))
    record = platform.get().json()["hashRecords"]
    assert [(each["signalType"], each["hashValue"]) for each in record] == [("VideoMD5", f"{1:032x}")]
    assert set(record[0]) == {
        "lastModtimestamp",
        "signalType",
        "hashValue",
        "hashStatus",
        "caseNumbers",
        "CSPFeedbacks",
    }


def test_who_asks_is_given_the_frames_under_their_name_and_our_client_reads_them():
    platform = ActingPlatform.vetted()
    a_case(a_video(1))
    page = read_page(platform.get(include="other,vpdq").content)
    video = next(record for record in page.records if record.signalType is SignalType.VIDEO_VPDQ)
    frames = clip_frames(1, 3)
    assert (video.hashValue, video.frames) == (vpdq_value(frames), frames_text(frames))
    assert page.skipped == 0


def test_a_record_whose_frames_are_not_those_that_its_name_says_is_left_out():
    platform = ActingPlatform.vetted()
    a_case(a_video(1))
    spoilt = platform.get(include="vpdq").content.replace(b",90,", b",91,")
    page = read_page(spoilt)
    assert [record.signalType for record in page.records] == [SignalType.VIDEO_MD5]
    assert page.skipped == 1


def test_a_page_ends_before_its_frames_are_too_many_bytes_and_the_next_goes_on(monkeypatch):
    monkeypatch.setattr(queries, "PAGE_BYTES", 3000)
    platform = ActingPlatform.vetted()
    a_case(*(a_video(seed, 20, seed) for seed in range(1, 6)))
    pages, token = [], {}
    while True:
        page = platform.fetch(include="vpdq", **token)
        pages.append(page.hashRecords)
        if not page.hasMoreRecords:
            break
        token = {"nextPageToken": page.nextPageToken}
    videos = [sum(record.frames is not None for record in page) for page in pages]
    assert sum(videos) == 5
    assert max(videos) == 1, "a page holds 3000 bytes of frames, and each video has nearly 2000"
    assert len({record.hashValue for page in pages for record in page}) == 10


def test_a_withdrawn_video_is_a_tombstone_without_frames_and_waits_only_for_those_who_take_videos():
    stock, ours = ActingPlatform.vetted("Stock"), ActingPlatform.vetted("Ours")
    made = a_case(a_video(1))
    stock.syncs()
    ours.fetch(include="vpdq")
    withdraw(made.case, [1])
    gone = {record.hashValue: record for record in ours.fetch(include="vpdq").hashRecords}
    name = vpdq_value(clip_frames(1, 3))
    assert gone[name].hashStatus is HashStatus.WITHDRAWN
    assert gone[name].frames is None
    stock.syncs()
    words = [{"hashValue": value, "feedbackValue": "Deleted", "tags": []} for value in gone]
    assert ours.post("SubmitFeedback", {"count": 2, "hashFeedbacks": words}).json() == {"count": 2, "refused": []}
    erase_tombstones()
    assert set(LedgerRecord.objects.values_list("status", "value", "frames")) == {("erased", None, None)}


def test_feedback_on_the_name_of_a_video_reaches_its_record():
    platform = ActingPlatform.vetted()
    a_case(a_video(1))
    word = {"hashValue": vpdq_value(clip_frames(1, 3)), "feedbackValue": "Blocked", "tags": []}
    assert platform.post("SubmitFeedback", {"count": 1, "hashFeedbacks": [word]}).json()["count"] == 1
    video = next(each for each in platform.fetch(include="vpdq").hashRecords if each.frames)
    assert [(said.source, said.feedbackValue) for said in video.CSPFeedbacks] == [("Example", "Blocked")]


def test_what_a_person_says_of_ai_is_a_label_for_as_long_as_her_picture_is_in_place():
    platform = ActingPlatform.vetted()
    made = a_case(NewItem(1, CaseItem.Kind.PICTURE, (NewSignal("pdq", pdq_value(1)),), CaseItem.MadeWithAi.YES))
    a_case(NewItem.picture(1, pdq_value(1)), NewItem.picture(2, pdq_value(2)))
    labels = {record.hashValue: record.labels for record in platform.fetch().hashRecords}
    assert labels == {pdq_value(1): ["made-with-ai"], pdq_value(2): []}
    withdraw(made.case, [1])
    assert [record.labels for record in platform.fetch().hashRecords] == [[], []]
