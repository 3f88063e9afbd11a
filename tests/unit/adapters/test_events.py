"""What Mastodon and the stores send, read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reclaim.adapters.fetching import is_public
from reclaim.adapters.mastodon import files_of_event, is_signed
from reclaim.adapters.s3 import objects_of_event

ABOUT = {"bucket": {"name": "uploads"}, "object": {"key": "a+b%C3%BC%2B.jpg", "eTag": '"e"', "sequencer": "7"}}


def test_a_signature_is_that_of_the_body_and_the_secret() -> None:
    # printf %s '{"a":1}' | openssl dgst -sha256 -hmac secret
    good = "sha256=aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494"
    assert is_signed("secret", b'{"a":1}', good)
    assert not is_signed("secret", b'{"a":2}', good)
    assert not is_signed("other", b'{"a":1}', good)


def test_pictures_and_videos_of_posts_and_profiles_are_found_and_sounds_are_left() -> None:
    media = [
        {"id": "1", "type": "image", "url": "https://f/1"},
        {"id": "2", "type": "audio", "url": "https://f/2"},
        {"id": "3", "type": "gifv", "url": "https://f/3"},
        {"id": "4", "type": "video", "url": None, "preview_url": "https://f/4"},
    ]
    post = {"event": "status.updated", "object": {"id": "7", "account": {"id": "5"}, "media_attachments": media}}
    found = list(files_of_event(post, profile_pictures=True))
    assert [(each.key, each.account, each.about["url"], each.about["post"]) for each in found] == [
        ("media:1", "5", "https://f/1", "7"),
        ("media:3", "5", "https://f/3", "7"),
        ("media:4", "5", "https://f/4", "7"),
    ]
    account = {"id": "5", "avatar": "https://f/a", "header": "https://f/headers/original/missing.png"}
    profile = {"event": "account.created", "object": {"id": "5", "account": account}}
    assert [each.about["url"] for each in files_of_event(profile, profile_pictures=True)] == ["https://f/a"]
    assert list(files_of_event(profile, profile_pictures=False)) == []
    assert list(files_of_event({"event": "report.created", "object": {}}, profile_pictures=True)) == []


@pytest.mark.parametrize(
    "content",
    [
        {"Records": [{"eventName": "ObjectCreated:Put", "eventTime": "t", "s3": ABOUT}]},
        {
            "EventName": "s3:ObjectCreated:Put",
            "Records": [{"eventName": "s3:ObjectCreated:Put", "eventTime": "t", "s3": ABOUT}],
        },
        {
            "Type": "Notification",
            "Message": json.dumps({"Records": [{"eventName": "ObjectCreated:Copy", "eventTime": "t", "s3": ABOUT}]}),
        },
        {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "time": "t",
            "detail": {
                "bucket": {"name": "uploads"},
                "object": {"key": "a bü+.jpg", "etag": "e", "sequencer": "7"},
            },
        },
    ],
    ids=["Amazon and Ceph", "Minio", "SNS", "EventBridge"],
)
def test_the_same_object_is_read_out_of_every_wire(content: Any) -> None:
    assert objects_of_event(json.dumps(content).encode()) == [("uploads", "a bü+.jpg", "e", "7 t")]


def test_deletions_and_test_events_name_nothing() -> None:
    removed = {"Records": [{"eventName": "s3:ObjectRemoved:Delete", "s3": ABOUT}]}
    assert objects_of_event(json.dumps(removed).encode()) == []
    assert objects_of_event(b'{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads"}') == []


def test_only_addresses_of_the_public_internet_are_public() -> None:
    assert all(map(is_public, ("1.1.1.1", "2606:4700:4700::1111")))
    inside = ("10.0.0.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1", "fe80::1%eth0")
    wrapped = ("::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "fd00::1", "::7f00:1")
    assert not any(map(is_public, inside + wrapped))
