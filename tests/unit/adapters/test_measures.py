"""What is done in Mastodon and in a store, step by step: several files of one account, versions under one name."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from reclaim.adapters.config import MastodonSection, S3Section
from reclaim.adapters.errors import Gone
from reclaim.adapters.fetching import Fetcher
from reclaim.adapters.mastodon import Mastodon, MastodonApi
from reclaim.adapters.queue import Queue
from reclaim.adapters.s3 import S3, Store
from reclaim.adapters.standing import Standing
from reclaim.adapters.worker import Place
from tests.system.adapters.mastodon_server import TOKEN, World, mastodon


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = Queue(tmp_path / "queue")
    yield made
    made.close()


def stands(queue: Queue, place: Place, key: str, target: str, standing: Standing) -> None:
    """A file of a target stands so by now, and the software is brought there."""
    queue.add(key, target, {"post": key})
    queue.learnt(key, standing, "u", matched=True)
    item = queue.get(key)
    assert item is not None
    place.act(item, standing)
    queue.carried_out(item, standing)


@pytest.fixture
def world() -> Iterator[tuple[World, str]]:
    with mastodon() as (made, port):
        yield made, f"http://127.0.0.1:{port}"


def server(queue: Queue, address: str, **choices: list[str]) -> Mastodon:
    section = MastodonSection.model_validate({"address": address, "media_hosts": ["x"], **choices})
    return Mastodon(queue, MastodonApi(address, TOKEN), Fetcher(["x"]), section)


def test_a_measure_ends_when_no_file_of_the_account_calls_for_it_any_more(
    queue: Queue, world: tuple[World, str]
) -> None:
    about, address = world
    place = server(queue, address, held=["sensitive"], unreadable=["report"])
    about.account("1")
    stands(queue, place, "a", "1", Standing.HELD)
    stands(queue, place, "b", "1", Standing.HELD)
    stands(queue, place, "a", "1", Standing.CLEAR)
    assert about.said == ["1 sensitive"]
    stands(queue, place, "b", "1", Standing.BLOCKED)
    assert about.said[1:] == ["1 suspend", "1 unsensitive"]
    stands(queue, place, "b", "1", Standing.CLEAR)
    assert about.said[3:] == ["1 unsuspend"]
    stands(queue, place, "c", "1", Standing.UNREADABLE)
    assert about.said[4:] == ["1 report c"]
    assert queue.measures("1") == {}


def test_what_a_moderator_did_before_is_left_and_a_deleted_account_is_let_go(
    queue: Queue, world: tuple[World, str]
) -> None:
    about, address = world
    place = server(queue, address, held=["silence"])
    about.account("1")["silenced"] = True
    stands(queue, place, "a", "1", Standing.HELD)
    stands(queue, place, "a", "1", Standing.CLEAR)
    assert about.said == []
    about.account("2")
    stands(queue, place, "b", "2", Standing.HELD)
    del about.accounts["2"]
    stands(queue, place, "b", "2", Standing.BLOCKED)
    assert about.said == ["2 silence"]
    assert queue.measures("2") == {}


def test_a_measure_or_report_that_was_begun_before_a_crash_is_taken_once_and_ended(
    queue: Queue, world: tuple[World, str]
) -> None:
    about, address = world
    place = server(queue, address, held=["sensitive", "report"])
    # Both were done; the process ended before it could write that down.
    about.account("1")["sensitized"] = True
    about.report("1", f"… Reclaim {hashlib.sha256(b'a').hexdigest()[:16]}")
    queue.take_measure("1", "sensitive")
    queue.take_measure("file:a", "report")
    stands(queue, place, "a", "1", Standing.HELD)
    assert about.said == []
    stands(queue, place, "a", "1", Standing.CLEAR)
    assert about.said == ["1 unsensitive"]
    assert about.open_reports("1") == []


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    # Its server logs the address of each caller.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


def test_a_removed_object_is_deleted_if_so_wished_and_a_newer_version_is_never_overwritten(
    queue: Queue, endpoint: str
) -> None:
    about = {"buckets": ["ups"], "quarantine": "kept", "endpoint": endpoint, "access_key": "k"}
    store = Store(S3Section.model_validate(about), "secret")
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )
    for bucket in ("ups", "kept"):
        client.create_bucket(Bucket=bucket)
    client.put_object(Bucket="ups", Key="a b", Body=b"first")
    place = S3(queue, store, S3Section.model_validate(about))
    stands(queue, place, "1", "ups/a b", Standing.HELD)
    assert (store.has("ups/a b"), store.read("kept/ups/a b")) == (False, b"first")
    item = queue.get("1")
    assert item is not None
    assert place.read(item) == b"first"
    client.put_object(Bucket="ups", Key="a b", Body=b"second")
    stands(queue, place, "2", "ups/a b", Standing.CLEAR)
    assert (store.read("ups/a b"), store.read("kept/ups/a b")) == (b"second", b"first")
    stands(queue, place, "1", "ups/a b", Standing.CLEAR)
    assert store.read("ups/a b") == b"second"

    deleting = S3(queue, store, S3Section.model_validate({**about, "blocked": "delete"}))
    client.put_object(Bucket="ups", Key="c", Body=b"x")
    stands(queue, deleting, "3", "ups/c", Standing.HELD)
    stands(queue, deleting, "3", "ups/c", Standing.BLOCKED)
    assert (store.has("ups/c"), store.has("kept/ups/c")) == (False, False)
    item = queue.get("3")
    assert item is not None
    with pytest.raises(Gone):
        deleting.read(item)
    client.close()


def test_a_newer_version_is_not_taken_for_the_one_that_was_decided_and_a_long_name_hides_all_the_same(
    queue: Queue, endpoint: str
) -> None:
    about = {"buckets": ["new"], "quarantine": "away", "endpoint": endpoint, "access_key": "k", "blocked": "delete"}
    store = Store(S3Section.model_validate(about), "secret")
    place = S3(queue, store, S3Section.model_validate(about))
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )
    for bucket in ("new", "away"):
        client.create_bucket(Bucket=bucket)
    client.put_object(Bucket="new", Key="a", Body=b"first")
    stands(queue, place, "1", "new/a", Standing.HELD)
    client.put_object(Bucket="new", Key="a", Body=b"second")
    stands(queue, place, "1", "new/a", Standing.BLOCKED)
    assert (store.read("new/a"), store.has("away/new/a")) == (b"second", False)
    stands(queue, place, "2", "new/a", Standing.HELD)
    client.put_object(Bucket="new", Key="a", Body=b"third")
    stands(queue, place, "3", "new/a", Standing.BLOCKED)
    assert store.has("away/new/a"), "another version may lie there that nobody has decided about"

    long = "new/" + "x" * 1024
    client.put_object(Bucket="new", Key=long.partition("/")[2], Body=b"long")
    stands(queue, place, "4", long, Standing.HELD)
    assert not store.has(long)
    stands(queue, place, "4", long, Standing.CLEAR)
    assert store.read(long) == b"long"
    client.close()
