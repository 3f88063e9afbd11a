"""The adapter for an S3-compatible store: moto's server holds the objects and sends its own events."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from reclaim.adapters.start import check
from tests.system.adapters.adapter import Adapter, answers, decide, free_port, until
from tests.system.platform.site import Platform

ODD = "2024/Grüße aus Rom +%20?.jpg"


class Store:
    """A store in a process of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        about = {"aws_access_key_id": "reclaim", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
        self.s3: Any = boto3.client("s3", endpoint_url=self.url, **about)
        self.sns: Any = boto3.client("sns", endpoint_url=self.url, **about)
        until(lambda: answers(self.port))
        self.s3.create_bucket(Bucket="uploads")
        self.s3.create_bucket(Bucket="quarantine")

    def tell(self, adapter: Adapter) -> None:
        """Let every new object in the bucket be told to the adapter, over SNS."""
        topic = self.sns.create_topic(Name="uploads")["TopicArn"]
        secret = adapter.secret("webhook.secret")
        address = f"http://reclaim:{secret}@127.0.0.1:{adapter.port}/s3"
        self.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=address)
        wanted = {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]}
        self.s3.put_bucket_notification_configuration(Bucket="uploads", NotificationConfiguration=wanted)

    def put(self, key: str, data: bytes) -> None:
        self.s3.put_object(Bucket="uploads", Key=key, Body=data, ContentType="image/jpeg")

    def keys(self, bucket: str) -> list[str]:
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    made = Store()
    yield made
    for client in (made.s3, made.sns):
        client.close()
    made.process.terminate()
    made.process.wait()


def test_what_matches_goes_into_the_quarantine_and_comes_back_or_stays_with_the_decision(
    store: Store,
    review_site: Platform,
    running: list[Adapter],
    tmp_path: Path,
    known: Callable[[int], bytes],
    harmless: bytes,
) -> None:
    adapter = Adapter("s3", tmp_path / "adapter", review_site, ("http://127.0.0.1:9000", store.url))
    running.append(adapter)
    adapter.write("store.secret", "secret")
    check(adapter.config)
    adapter.start()
    store.tell(adapter)
    store.put("cat.jpg", harmless)
    store.put(ODD, known(6))
    until(lambda: store.keys("quarantine") == [f"uploads/{ODD}"])
    until(lambda: store.keys("uploads") == ["cat.jpg"])
    decide(review_site, "not-blocked")
    until(lambda: store.keys("uploads") == [ODD, "cat.jpg"])
    until(lambda: store.keys("quarantine") == [])
    assert store.s3.head_object(Bucket="uploads", Key=ODD)["ContentType"] == "image/jpeg"

    # Told twice, here also as Minio sends it.
    store.put("b.jpg", known(7))
    etag = hashlib.md5(known(7)).hexdigest()
    about = {"bucket": {"name": "uploads"}, "object": {"key": "b.jpg", "eTag": etag, "sequencer": "17"}}
    record = {"eventName": "s3:ObjectCreated:Put", "s3": about}
    event = json.dumps({"EventName": "s3:ObjectCreated:Put", "Key": "uploads/b.jpg", "Records": [record]})
    bearer = {"Authorization": f"Bearer {adapter.secret('webhook.secret')}"}
    assert [adapter.call("/s3", event.encode(), **bearer).status for _ in range(2)] == [204, 204]
    until(lambda: store.keys("quarantine") == ["uploads/b.jpg"])
    decide(review_site, "blocked")
    until(lambda: (adapter.count("blocked"), adapter.count("waiting")) == (1, 0))
    # Put in once more under its name, the same file goes the same way, without anybody having to look again.
    store.put("b.jpg", known(7))
    until(lambda: store.keys("uploads") == [ODD, "cat.jpg"])
    assert store.keys("quarantine") == ["uploads/b.jpg"]
    assert (adapter.count("held"), adapter.count("blocked")) == (0, 1)
