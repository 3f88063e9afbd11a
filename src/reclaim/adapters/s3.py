"""An S3-compatible store: its events say what was put in; what is held goes into a quarantine bucket and back."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reclaim.adapters.config import MOST_BYTES, S3Config, S3Section
from reclaim.adapters.errors import Gone, MediaNotNow, NotNow, Unreadable
from reclaim.adapters.fetching import Fetcher
from reclaim.adapters.log import log
from reclaim.adapters.queue import Item, Queue
from reclaim.adapters.standing import Standing
from reclaim.adapters.web import insist_on_secret
from reclaim.matching.service.bodies import read_body
from reclaim.matching.service.problems import Problem

LARGEST_EVENT = 2**20
_LONGEST_KEY = 1024
_MOST_RECORDS = 1000
_AWAY = "the store cannot be reached, or does not let this key in"
_SNS = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?")


def _put_in(content: Any) -> Iterator[tuple[str, str, str, str]]:
    """(bucket, key, etag, delivery) of each object that a body names. Raises ``KeyError``, ``TypeError``."""
    if isinstance(content, dict) and content.get("source") == "aws.s3":
        if content["detail-type"] == "Object Created":
            about = content["detail"]
            # This wire alone does not encode keys.
            yield _named(about["bucket"], about["object"], about["object"]["key"], content.get("time"))
        return
    records = content.get("Records") or []
    if len(records) > _MOST_RECORDS:
        raise TypeError
    for record in records:
        # Minio says «s3:ObjectCreated:Put» where Amazon says «ObjectCreated:Put».
        if str(record["eventName"]).removeprefix("s3:").startswith("ObjectCreated"):
            about = record["s3"]
            key = unquote_plus(about["object"]["key"])
            yield _named(about["bucket"], about["object"], key, record.get("eventTime"))


def _named(bucket: Any, about: Any, key: Any, time: Any) -> tuple[str, str, str, str]:
    name = bucket["name"]
    if not isinstance(name, str) or not isinstance(key, str) or not 0 < len(key.encode()) <= _LONGEST_KEY:
        raise TypeError
    etag = str(about.get("eTag") or about.get("etag") or "").strip('"')
    return name, key, etag[:200], f"{about.get('sequencer') or ''} {time or ''}"[:200]


def objects_of_event(body: bytes) -> list[tuple[str, str, str, str]]:
    """(bucket, key, etag, delivery) of each object that was put in, out of what stores, EventBridge and SNS send.

    Raises ``ValueError`` for what is none of them.
    """
    try:
        content = json.loads(body)
        if content.get("Type") == "Notification":
            content = json.loads(content["Message"])
        return list(_put_in(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("This is no event of an S3-compatible store.") from None


def confirmation_of(body: bytes) -> str | None:
    """The address at which an SNS subscription is confirmed, if this body asks for that and it is one of SNS."""
    try:
        content = json.loads(body)
        if content.get("Type") != "SubscriptionConfirmation":
            return None
        url = content["SubscribeURL"]
        return url if _SNS.fullmatch(urlsplit(url).hostname or "") else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


class Store:
    """The store. Every call raises ``NotNow``; those on objects that must be there raise ``Gone`` too."""

    def __init__(self, section: S3Section, secret_key: str | None) -> None:
        """Without an access key the client finds one where Amazon's tools look."""
        import boto3
        from botocore.config import Config as ClientConfig

        self._client: Any = boto3.client(
            "s3",
            region_name=section.region,
            endpoint_url=section.endpoint,
            aws_access_key_id=section.access_key,
            aws_secret_access_key=secret_key,
            config=ClientConfig(
                connect_timeout=5,
                read_timeout=20,
                retries={"total_max_attempts": 2, "mode": "standard"},
                # Of stores that are not Amazon's, some know no bucket as a part of the host's name.
                s3={"addressing_style": "path" if section.endpoint else "auto"},
                # And some do not know its newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def has(self, path: str) -> bool:
        """Whether there is an object, by ``bucket/key``."""
        try:
            self._call("head_object", **_object(path))
        except Gone:
            return False
        return True

    def read(self, path: str) -> bytes:
        """An object. Raises ``Unreadable`` for one that is too large."""
        import urllib3
        from botocore.exceptions import BotoCoreError

        found = self._call("get_object", **_object(path))
        try:
            with found["Body"] as body:
                data: bytes = body.read(MOST_BYTES + 1)
        except (BotoCoreError, urllib3.exceptions.HTTPError, OSError):
            raise MediaNotNow(_AWAY) from None
        if len(data) > MOST_BYTES:
            raise Unreadable("an object is too large")
        return data

    def move(self, source: str, target: str) -> None:
        """Copy an object inside the store, and delete the first only when the copy is there."""
        bucket, _, key = source.partition("/")
        self._call("copy_object", **_object(target), CopySource={"Bucket": bucket, "Key": key})
        self._call("delete_object", **_object(source))

    def delete(self, path: str) -> None:
        """Delete an object that may be there."""
        self._call("delete_object", **_object(path))

    def check(self, section: S3Section) -> None:
        """Raise ``NotNow`` unless every bucket is there and the quarantine can be written."""
        probe = f"{section.quarantine}/reclaim-check"
        try:
            for bucket in (*section.buckets, section.quarantine):
                self._call("head_bucket", Bucket=bucket)
            self._call("put_object", **_object(probe), Body=b"")
            self._call("delete_object", **_object(probe))
        except Gone:
            raise NotNow("a bucket that the configuration names is not there") from None

    def _call(self, name: str, **about: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, name)(**about)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        except (BotoCoreError, OSError):
            status = None
        # Raised out here: the library's own errors quote addresses and names.
        if status == 404:
            raise Gone
        raise NotNow(_AWAY)


def _object(path: str) -> dict[str, str]:
    bucket, _, key = path.partition("/")
    return {"Bucket": bucket, "Key": key}


class S3:
    """The place where objects are hidden."""

    def __init__(self, queue: Queue, store: Store, section: S3Section) -> None:
        self._queue = queue
        self._store = store
        self._section = section
        self._hidden = {Standing.HELD, Standing.BLOCKED}
        if section.unreadable == "quarantine":
            self._hidden.add(Standing.UNREADABLE)

    def read(self, item: Item) -> bytes:
        """The object, from where it was put or from the quarantine."""
        try:
            return self._store.read(item.target)
        except Gone:
            return self._store.read(self._place_of(item))

    def _place_of(self, item: Item) -> str:
        name = item.target
        if len(name.encode()) > _LONGEST_KEY:
            # With the bucket before it the name of an object may be longer than any may be: it must not stay public.
            bucket, _, key = name.partition("/")
            name = f"{bucket}/{hashlib.sha256(key.encode()).hexdigest()}"
        return f"{self._section.quarantine}/{name}"

    def would_act(self, item: Item, standing: Standing) -> str | None:
        """Hide, delete or give back."""
        if standing is Standing.BLOCKED and self._section.blocked == "delete":
            return "an object is deleted"
        if standing in self._hidden:
            return "an object goes into the quarantine"
        return "an object is given back" if item.done in self._hidden else None

    def act(self, item: Item, standing: Standing) -> None:
        """Move the object to where it belongs by now."""
        hidden = self._place_of(item)
        if standing in self._hidden:
            self._queue.take_measure(item.target, "hidden")
            # Once: what lies under its name later is another version, which is looked up as itself.
            if item.done not in self._hidden:
                try:
                    self._store.move(item.target, hidden)
                    log.info("an object went into the quarantine")
                except Gone:
                    pass
            versions = self._queue.of_target(item.target)
            waits = any(each.standing is Standing.HELD for each in versions if each.key != item.key)
            if standing is Standing.BLOCKED and self._section.blocked == "delete" and not waits:
                self._store.delete(hidden)
                log.info("an object was deleted")
        elif standing is not Standing.GONE and "hidden" in self._queue.measures(item.target):
            if any(each.standing in self._hidden for each in self._queue.of_target(item.target)):
                # What lies in the quarantine may be another version under the same name, and that one stays there.
                return
            # A version that came meanwhile is the owner's word.
            if not self._store.has(item.target):
                try:
                    self._store.move(hidden, item.target)
                    log.info("an object was given back")
                except Gone:
                    log.warning("an object was to be given back, and is no longer in the quarantine")
            self._queue.end_measure(item.target, "hidden")


def place(config: S3Config, queue: Queue) -> S3:
    """From a configuration. Raises ``ConfigError``."""
    section = config.s3
    return S3(queue, store(config), section)


def store(config: S3Config) -> Store:
    """From a configuration. Raises ``ConfigError``."""
    section = config.s3
    return Store(section, config.secret(section.secret_key_file) if section.access_key else None)


def routes(config: S3Config, queue: Queue, wake: Callable[[], None]) -> list[Route]:
    """``POST /s3``, for the store's events. Raises ``ConfigError``."""
    section = config.s3
    secret = config.secret(section.webhook_secret_file)
    buckets = frozenset(section.buckets)

    async def taken(request: Request) -> Response:
        insist_on_secret(request, secret)
        body = await read_body(request, LARGEST_EVENT)
        if url := confirmation_of(body):
            await asyncio.to_thread(Fetcher([urlsplit(url).hostname or ""], seconds=15).fetch, url, LARGEST_EVENT)
            log.info("a subscription was confirmed")
            return Response(status_code=204)
        try:
            found = objects_of_event(body)
        except ValueError:
            raise Problem(400, "This is no event of an S3-compatible store.") from None
        news = others = 0
        for bucket, key, etag, delivery in found:
            if bucket in buckets:
                path = f"{bucket}/{key}"
                news += queue.add(f"{path} {etag}", path, {}, delivery)
            else:
                others += 1
        if others:
            log.warning("events of buckets that the configuration does not name: %d", others)
        if news:
            log.info("files to look up: %d", news)
            wake()
        return Response(status_code=204)

    return [Route("/s3", taken, methods=["POST"])]
