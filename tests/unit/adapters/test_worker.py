"""The queue and the work, with a review site that comes and goes."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reclaim.adapters.config import read_config
from reclaim.adapters.errors import ConfigError, Gone
from reclaim.adapters.init import init
from reclaim.adapters.queue import Item, Queue
from reclaim.adapters.review_site import ReviewSite
from reclaim.adapters.standing import Standing
from reclaim.adapters.worker import Worker

PICTURE = (Path(__file__).parents[2] / "photos/cat.jpg").read_bytes()


class Place:
    """Software that remembers what was done in it."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, Standing]] = []

    def read(self, item: Item) -> bytes:
        if item.about.get("gone"):
            raise Gone
        return b"no picture" if item.about.get("text") else PICTURE

    def act(self, item: Item, standing: Standing) -> None:
        self.acts.append((item.key, standing))

    def would_act(self, item: Item, standing: Standing) -> str | None:
        return standing.value


def the(queue: Queue, key: str) -> Item:
    found = queue.get(key)
    assert found is not None
    return found


class Site:
    """The two calls of docs/platform.md, with one upload that stands as it is told."""

    def __init__(self) -> None:
        self.status = "held"
        self.under_review = True
        self.handed_in = 0
        self.port = 0

    @contextmanager
    def open(self) -> Iterator[None]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def _answer(self, status: int) -> None:
                said = {"upload": "u", "status": site.status, "under_review": site.under_review}
                body = json.dumps({**said, "matches": [{"match": "m"}]}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                self._answer(200)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                site.handed_in += 1
                self._answer(201)

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def until(true: object) -> None:
    end = time.monotonic() + 15
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def working(queue: Queue, site: Site, place: Place, *, dry_run: bool = False) -> Iterator[Worker]:
    reviewing = ReviewSite(f"http://127.0.0.1:{site.port}", "key")
    worker = Worker(queue, reviewing, place, first_look=0.05, dry_run=dry_run)
    worker.start()
    yield worker
    worker.stop()


def test_a_site_that_is_away_is_tried_again_and_every_decision_and_its_undoing_is_carried_out_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site, place, queue = Site(), Place(), Queue(tmp_path / "queue")
    with site.open():
        pass
    queue.add("a", "t", {})
    queue.add("b", "t", {"gone": 1})
    queue.add("c", "t", {"text": 1})
    with working(queue, site, place):
        until(lambda: "everything waits" in caplog.text)
        with site.open():
            until(lambda: ("a", Standing.HELD) in place.acts)
            for status in ("blocked", "clear"):
                site.status = status
                until(lambda status=status: place.acts[-1] == ("a", Standing(status)))
    assert [each for each in place.acts if each[0] == "a"] == [("a", "held"), ("a", "blocked"), ("a", "clear")]
    assert sorted(each for each in place.acts if each[0] != "a") == [("b", "gone"), ("c", "other")]
    assert site.handed_in == 1
    queue.close()


def test_a_dry_run_looks_up_and_does_nothing_and_the_next_run_does_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site, place, queue = Site(), Place(), Queue(tmp_path / "queue")
    with site.open(), caplog.at_level("INFO"):
        queue.add("a", "t", {})
        with working(queue, site, place, dry_run=True):
            until(lambda: "dry run, not done: held" in caplog.text)
        assert place.acts == []
        queue.close()
        queue = Queue(tmp_path / "queue")
        with working(queue, site, place):
            until(lambda: place.acts == [("a", "held")])
    queue.close()


def test_what_was_learnt_and_not_carried_out_before_a_crash_is_carried_out_after_it(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "queue")
    assert queue.add("a", "t", {"x": "ü\udcff"}, "1")
    queue.learnt("a", Standing.HELD, "u", matched=True)
    queue.again(the(queue, "a"), None)
    queue.close()
    queue = Queue(tmp_path / "queue")
    assert [(each.key, each.standing, each.about) for each in queue.due(5)] == [("a", "held", {"x": "ü\udcff"})]
    before = the(queue, "a")
    queue.carried_out(before, Standing.HELD)
    queue.again(before, None)
    assert not queue.add("a", "t", {}, "1")
    assert queue.due(5) == []
    assert queue.add("a", "t", {}, "2")
    # Whoever worked on it meanwhile must not make it forgotten that it is there again.
    queue.carried_out(before, Standing.HELD)
    queue.again(before, None)
    assert [(each.done, each.delivery) for each in queue.due(5)] == [(None, "2")]
    with pytest.raises(ConfigError, match="runs with this configuration already"):
        Queue(tmp_path / "queue")
    queue.close()
    assert (tmp_path / "queue").stat().st_mode & 0o077 == 0


def test_what_is_finished_is_forgotten_but_for_what_matched_or_had_a_measure(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "queue")
    for key, standing, matched in (
        ("a", Standing.CLEAR, False),
        ("b", Standing.CLEAR, True),
        ("c", Standing.OTHER, False),
    ):
        queue.add(key, key, {})
        queue.learnt(key, standing, "u", matched)
        queue.again(the(queue, key), None)
    queue.take_measure("c", "reported")
    queue.forget(time.time() + 1)
    assert [key for key in "abc" if queue.get(key)] == ["b", "c"]
    queue.close()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"http://127.0.0.1:8100"', '"ftp://x"', "Write an address as"),
        ('address = "http://127.0.0.1:8100"', 'address = "http://review.example"', "Keys travel only over https"),
        ("[folder_watch]", "[folder_watch]\nwacth = 1", "Extra inputs are not permitted"),
        ("[folder_watch]", "[folder]", "folder_watch"),
        ('kind = "folder"', "", "kind"),
        ('kind = "folder"', "kind =", "is not written as TOML"),
    ],
)
def test_a_configuration_with_a_fault_is_refused_with_its_place(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    init("folder", tmp_path / "a", "http://127.0.0.1:8100")
    config = tmp_path / "a/folder.toml"
    config.write_text(config.read_text().replace(before, after))
    with pytest.raises(ConfigError, match=said):
        read_config(config)


def test_a_secret_that_others_may_read_or_that_is_empty_is_refused(tmp_path: Path) -> None:
    empty = init("mastodon", tmp_path / "a", "https://review.example")
    config = read_config(tmp_path / "a/mastodon.toml")
    for name in empty:
        with pytest.raises(ConfigError, match="holds no secret yet"):
            config.secret(name)
    key = tmp_path / "a/token.secret"
    key.write_text("x")
    key.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        config.secret("token.secret")
    with pytest.raises(ConfigError, match="nothing is written over"):
        init("mastodon", tmp_path / "a", "https://review.example")


@pytest.mark.parametrize("under_review", [True, False])
def test_what_is_public_while_a_reviewer_has_yet_to_look_is_asked_for_like_what_is_held(
    tmp_path: Path, under_review: bool
) -> None:
    site, place, queue = Site(), Place(), Queue(tmp_path / "queue")
    site.status, site.under_review = "clear", under_review
    queue.add("a", "a", {})
    queue.learnt("a", Standing.CLEAR, "u", matched=True)
    queue.carried_out(the(queue, "a"), Standing.CLEAR)
    with sqlite3.connect(tmp_path / "queue") as other:
        other.execute("UPDATE items SET changed_at = changed_at - 40 * 86400")
    other.close()
    with site.open(), working(queue, site, place):
        until(lambda: (queue.next_due() or time.time() + 1) > time.time())
        until(lambda: not queue.due(1))
    due = queue.next_due()
    assert (due is not None and due - time.time() <= 120) if under_review else due is None
    queue.close()
