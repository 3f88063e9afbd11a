"""Talking to a bank on version 2 of the exchange (docs/exchange-v2.md)."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

from pydantic import BaseModel
from urllib3 import Timeout

from reclaim.client.changes import Change, Owed, SignalName, Word
from reclaim.client.connection import (
    NOT_NOW,
    ONCE,
    READS,
    USUAL,
    Answer,
    Bounds,
    Connection,
    checked_base_url,
    read_within,
)
from reclaim.client.errors import BankMisbehaved, BankRefused, BankUnreachable, CursorGone, SyncOvertaken
from reclaim.client.events import Event, read_events
from reclaim.client.native_reading import NAMES, TYPES, NativePage, checked, read_message, read_object, read_signals
from reclaim.client.snapshot import fetch_part, read_manifest, read_part
from reclaim.protocol import native_v2 as wire

LONGEST_MAKING = 3600.0
"""Seconds that a bank may take to make a snapshot."""
_SHORTEST_WAIT, _LONGEST_WAIT = 0.5, 30.0
LEAST_BYTES_A_SECOND = 64 * 1024
"""A part of a snapshot that comes more slowly than this, all in all, is left for later; what came is kept."""
_PART_SECONDS = 120.0
MOST_PAGES = 100_000
"""Of one sync."""
MOST_EMPTY_PAGES = 100
MOST_OWED_PAGES = 1000
STREAM_TIMEOUT = Timeout(connect=10, read=45)
"""A stream has a heartbeat every 15 seconds; one that is silent for three of them is over."""
CHECK_BOUNDS = Bounds(most=2**20, seconds=10.0, timeout=Timeout(connect=5, read=10))
"""Of an answer to a check: what follows the feed asks it too, and a withdrawal must not wait for it."""


@dataclass(frozen=True, repr=False)
class NativeKeys:
    """A platform's keys, as the bank gave them out. One key may have several scopes, and then stands in several places.

    Raises ``ValueError`` for a key that cannot travel in a header.
    """

    fetch: str
    feedback: str | None = None
    submit: str | None = None
    descriptors: str | None = None
    """Opens descriptors: with it they are fetched, and placements checked."""
    sources: str | None = None
    """Opens source photographs."""

    def __post_init__(self) -> None:
        for name, key in vars(self).items():
            if key is not None and not (key.isascii() and key.isprintable() and key.strip() == key != ""):
                raise ValueError(f"The {name} key is not a key: copy it again from the bank.")

    def __repr__(self) -> str:
        return f"NativeKeys({', '.join(name for name, key in vars(self).items() if key)}: hidden)"


@dataclass(frozen=True)
class Pinned:
    """What a platform keeps of a bank when it joins, so that nobody else can take its place later."""

    bank_id: str
    snapshot_key: str
    """Ed25519, as base64 of 32 bytes."""

    @classmethod
    def of(cls, about: wire.About) -> Pinned:
        """What this bank says of itself. Raises ``BankMisbehaved`` where its key is none."""
        try:
            base64.b64encode(about.snapshot_public_key)
        except ValueError:
            raise BankMisbehaved("The bank's key for snapshots is none. Tell the bank's operator.") from None
        return cls(about.bank_id, about.snapshot_key)


def ask_about(base_url: str) -> wire.About:
    """What the bank at this address says of itself; no key is needed. ``base_url`` ends in ``/v2``.

    Raises ``BankError``, and ``ValueError`` for an unsafe address.
    """
    connection = Connection()
    try:
        answer = connection.call("GET", f"{checked_base_url(base_url)}/", {"Accept": "application/json"})
    finally:
        connection.close()
    if answer.status != 200:
        _refuse(answer)
    return read_message(wire.About, answer.body, "word about itself")


class NativeClient:
    """One bank, as one platform sees it. Safe to share between threads.

    ``base_url`` ends in ``/v2``. Certificates are verified against the system's authorities; redirects are not
    followed, and keys go to the bank's own host alone. Every call raises a ``BankError`` and nothing else.
    """

    def __init__(
        self,
        base_url: str,
        keys: NativeKeys,
        *,
        pinned: Pinned | None = None,
        scratch: Path | None = None,
        least_trust: int = 0,
        types: Sequence[wire.AnyType] = wire.SIGNAL_TYPES,
    ) -> None:
        """Snapshots need what was ``pinned`` and a folder, ``scratch``, for their parts; without, the feed is read from
        its beginning. Signals that are trusted less than ``least_trust`` (0 to 100) are left out, and of ``types`` the
        others. Who later asks for more starts over. The extra types, descriptors and source, are followed by a client
        of their own, into a store of their own: no snapshot has them. Raises ``ValueError`` for an unsafe address, and
        for extra types together with others.
        """
        extra = set(types).intersection(wire.EXTRA_TYPES)
        if extra and not extra.issuperset(types):
            raise ValueError("The extra types, descriptors and source, are followed by a client of their own.")
        self._base_url = checked_base_url(base_url)
        self._keys = keys
        self._pinned = pinned
        self._scratch = scratch
        self._least_trust = least_trust
        self._types = tuple(types)
        self._extra = bool(extra)
        self._connection = Connection()

    def close(self) -> None:
        """Close idle connections. The client opens new ones when it is used again."""
        self._connection.close()

    @property
    def can_give_feedback(self) -> bool:
        """Whether there is a feedback key, so that withdrawals can be acknowledged."""
        return self._keys.feedback is not None

    @property
    def takes_snapshots(self) -> bool:
        """Whether it can store a snapshot's parts and check who signed them."""
        return self._pinned is not None and self._scratch is not None and not self._extra

    @property
    def follows_extra_types(self) -> bool:
        """Whether it fetches the extra types, and nothing else."""
        return self._extra

    def about(self) -> wire.About:
        """What the bank says of itself."""
        return read_message(wire.About, self._call("GET", "", None), "word about itself")

    def insist_on_pinned(self) -> None:
        """Raise ``BankMisbehaved`` where another bank answers at this address than the one that was joined."""
        if self._pinned is not None and self.about().bank_id != self._pinned.bank_id:
            raise BankMisbehaved(
                "Another bank answers at this address than the one that you joined. Nothing was changed. If its "
                "operator tells you, by another way, that this is right, run «reclaim platform init» again."
            )

    # The feed

    def fetch_page(self, after: str = "", limit: int = wire.DEFAULT_PAGE) -> NativePage:
        """One page of what changed after a cursor; without one, from the beginning.

        Raises ``CursorGone`` where the feed does not go on from there.
        """
        query = {"limit": str(limit), "types": ",".join(self._types), "least_trust": str(self._least_trust)}
        if after:
            query["after"] = after
        return read_signals(self._call("GET", "signals", self._fetch_key(), fields=query), extra=self._extra)

    def _fetch_key(self) -> str:
        """The key that opens what is fetched."""
        if not self._extra:
            return self._keys.fetch
        of_scope = {"descriptors": self._keys.descriptors, "source": self._keys.sources}
        return next((key for kind in self._types if (key := of_scope.get(kind))), self._keys.fetch)

    def pages(self, after: str, limit: int = wire.DEFAULT_PAGE) -> Iterator[NativePage]:
        """Every page from a cursor to the end of the feed. One that never ends is refused with ``BankMisbehaved``."""
        cursors = {after}
        empty, ended = 0, False
        for _ in range(MOST_PAGES):
            page = self.fetch_page(after, limit)
            empty = 0 if page.changes or page.skipped else empty + 1
            if page.has_more and (page.cursor in cursors or empty > MOST_EMPTY_PAGES):
                raise BankMisbehaved(
                    "The bank's feed does not end: it names the same page again, or sends nothing but empty ones. What "
                    "came before is stored; tell the bank's operator."
                )
            yield page
            # Asking with a cursor tells the bank that the page is stored, so the last cursor is asked with too.
            if not page.has_more and (ended or not page.changes):
                return
            ended = not page.has_more
            cursors.add(page.cursor)
            after = page.cursor
        raise BankMisbehaved(
            f"The bank's feed has not ended after {MOST_PAGES} pages. What came before is stored; tell its operator."
        )

    # Snapshots

    def snapshot(self, sleep: Callable[[float], object] = time.sleep) -> wire.SnapshotManifest:
        """The manifest of a snapshot, once the bank has made it. It is signed by the bank that was joined."""
        if self._pinned is None:
            raise BankMisbehaved("Nothing is known of who signs this bank's snapshots. Join it again.")
        ends_at = time.monotonic() + LONGEST_MAKING
        while (answer := self._answer("GET", "snapshot", self._keys.fetch)).status == 202:
            if time.monotonic() > ends_at:
                raise BankUnreachable("The bank takes too long to make a snapshot. Try again later.")
            wanted = answer.headers.get("Retry-After", "")
            wait = float(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 6 else 5.0
            sleep(min(max(wait, _SHORTEST_WAIT), _LONGEST_WAIT))
        if answer.status != 200:
            _refuse(answer)
        key = base64.b64decode(self._pinned.snapshot_key)
        return read_manifest(answer.body, key, self._pinned.bank_id)

    def part(self, part: wire.SnapshotPart, skip: int = 0) -> Iterator[tuple[int, list[Change], int]]:
        """The rows of a part behind the first ``skip``, as ``snapshot.read_part`` has them.

        The part is fetched first, going on where an earlier download ended, and deleted afterwards.
        """
        if self._scratch is None:
            raise BankMisbehaved("There is no folder for a snapshot's parts.")
        path = fetch_part(part, self._scratch, lambda start, size: self._pieces(part.href, start, size))
        for rows, changes, unread in read_part(path, part, skip):
            # A snapshot has everything; what was not asked for is left out here, as the feed leaves it out.
            wanted = [
                change
                for change in changes
                if (change.trust or 0) >= self._least_trust and NAMES[change.type] in self._types
            ]
            yield rows, wanted, unread
        path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other process fetch parts into the same folder meanwhile. Raises ``SyncOvertaken``."""
        if self._scratch is None:
            raise BankMisbehaved("There is no folder for a snapshot's parts.")
        self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._scratch / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SyncOvertaken from None
            yield

    def forget_parts(self) -> None:
        """Delete what is left of downloads."""
        if self._scratch is not None and self._scratch.is_dir():
            for path in self._scratch.glob("*.part"):
                path.unlink(missing_ok=True)

    def _pieces(self, href: str, start: int, size: int) -> Iterator[bytes]:
        url = self._own(urljoin(f"{self._base_url}/", href))
        headers = self._headers(self._keys.fetch, {"Range": f"bytes={start}-"} if start else {})
        with self._connection.open("GET", url, headers) as response:
            if response.status not in (200, 206):
                _refuse(Answer(response.status, dict(response.headers), b""))
            # A server that knows no ranges sends it all again.
            skip = start if response.status == 200 else 0
            seconds = _PART_SECONDS + size / LEAST_BYTES_A_SECOND
            for piece in read_within(response, size - start + skip, seconds):
                if skip >= len(piece):
                    skip -= len(piece)
                    continue
                yield piece[skip:]
                skip = 0

    def _own(self, url: str) -> str:
        """The address, if it is on the bank's own host, so that the key goes nowhere else."""
        wanted, here = urlsplit(url), urlsplit(self._base_url)
        if (wanted.scheme, wanted.hostname) != (here.scheme, here.hostname) or "@" in wanted.netloc:
            raise BankMisbehaved(
                "The bank names an address on another host than its own. The key is not sent there; tell its operator."
            )
        return url

    # What changes, as it changes

    def events(self, address: str) -> Iterator[Event]:
        """What the bank says on one connection of its stream, until it ends. ``address`` is what ``about`` names.

        The first, which has no name, says that the stream is open. Raises ``BankError``.
        """
        url = self._own(urljoin(f"{self._base_url}/", address))
        headers = self._headers(self._keys.fetch, {"Accept": "text/event-stream"})
        with self._connection.open("GET", url, headers, retries=ONCE, timeout=STREAM_TIMEOUT) as response:
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if response.status != 200:
                _refuse(Answer(response.status, dict(response.headers), b""))
            if kind != "text/event-stream":
                raise BankMisbehaved("What the bank names as its stream of events is none. Tell its operator.")
            yield Event("")

            def pieces() -> Iterator[bytes]:
                while piece := response.read1(4096, decode_content=False):
                    yield piece

            yield from read_events(pieces())

    # What this platform says

    def say(self, words: Sequence[Word]) -> wire.Taken:
        """Say what this platform says of signals. What the bank refuses it has no signal for any more."""
        said = [
            wire.FeedbackWord(
                type=NAMES[word.name.type],
                value=word.name.value,
                decision=word.decision,
                reason=word.reason or None,  # type: ignore[arg-type]  # the model refuses what is none
                distance=word.distance,
                count=word.count,
                action=word.measure,
                decided_by="machine" if word.by_machine else "person",
            )
            for word in words
        ]
        return self._post("feedback", self._keys.feedback, wire.SubmitFeedback(feedback=said))

    def acknowledge(self, names: Sequence[SignalName]) -> wire.Taken:
        """Say that these copies are deleted."""
        said = [wire.SignalName(type=NAMES[name.type], value=name.value) for name in names]
        return self._post("acknowledgements", self._keys.feedback, wire.SubmitAcknowledgements(acknowledgements=said))

    def owed(self) -> list[Owed]:
        """Withdrawn signals, of the extra types if it follows those and else of the others, whose deletion the bank has
        not been told of: the first thousand, longest owed first."""
        query = {"types": ",".join(self._types)} if self._extra else None
        fields = read_object(self._call("GET", "acknowledgements", self._keys.feedback, fields=query))
        owed = []
        for entry in fields.get("owed", []) if isinstance(fields.get("owed"), list) else []:
            try:
                each = wire.OwedAcknowledgement.model_validate(entry)
                value, _ = checked(TYPES[each.type], each.value, None)
            except ValueError:
                continue
            if (each.type in wire.EXTRA_TYPES) != self._extra:
                continue
            owed.append(Owed(SignalName(TYPES[each.type], value), int(each.acknowledge_by.timestamp())))
        return owed[: wire.LARGEST_SUBMISSION]

    def check_placement(
        self, value: str, frame: tuple[int, int], pairs: Sequence[Sequence[int]]
    ) -> wire.PlacementAnswer:
        """Whether an upload shows the picture whose descriptors ``value`` names, by where they lie in it.

        ``frame`` is the upload's, in pixels, its longer side 512; the pairs are as ``wire.Pair``, the nearest first:
        those beyond ``MOST_PAIRS`` are left out. Raises ``BankUnreachable`` where checks are used up for now, and
        ``ValueError`` for what is no check.
        """
        chosen = [tuple(int(part) for part in pair) for pair in pairs[: wire.MOST_PAIRS]]
        message = wire.PlacementCheck.model_validate({"value": value, "frame": frame, "pairs": chosen})
        body = self._call(
            "POST", "placements/check", self._keys.descriptors, body=wire.as_json(message), bounds=CHECK_BOUNDS
        )
        return read_message(wire.PlacementAnswer, body, "answer to a check")

    def submit(self, signals: Sequence[wire.SubmittedSignal]) -> wire.Taken:
        """Put signals that the platform found by itself into the bank; at most ``LARGEST_SUBMISSION`` at a time."""
        return self._post("signals", self._keys.submit, wire.SubmitSignals(signals=list(signals)))

    def _post(self, place: str, key: str | None, message: BaseModel) -> wire.Taken:
        if key is None:
            raise BankRefused(401, f"There is no key for «{place}». Ask the bank for one and put it into your keys.")
        body = self._call("POST", place, key, body=wire.as_json(message))
        return read_message(wire.Taken, body, "answer to a submission")

    def _call(self, method: str, place: str, key: str | None, **how: Any) -> bytes:
        answer = self._answer(method, place, key, **how)
        if answer.status != 200:
            _refuse(answer)
        return answer.body

    def _answer(
        self,
        method: str,
        place: str,
        key: str | None,
        *,
        fields: Mapping[str, str] | None = None,
        body: bytes | None = None,
        bounds: Bounds = USUAL,
    ) -> Answer:
        more = {"Accept": "application/json", **({"Content-Type": "application/json"} if body is not None else {})}
        headers = self._headers(key, more)
        retries = READS if method == "GET" else ONCE
        return self._connection.call(
            method, f"{self._base_url}/{place}", headers, retries=retries, fields=fields, body=body, bounds=bounds
        )

    @staticmethod
    def _headers(key: str | None, more: Mapping[str, str]) -> dict[str, str]:
        return {**({"Authorization": f"Bearer {key}"} if key else {}), **more}


def _refuse(answer: Answer) -> NoReturn:
    status = answer.status
    if status in NOT_NOW:
        raise BankUnreachable(f"The bank cannot answer now (HTTP {status}). Try again later; what was stored stays.")
    if 300 <= status < 400:
        raise BankRefused(
            status,
            "The bank's address leads elsewhere, and keys are not sent on. Ask the bank for its present base address.",
        )
    if status == 401:
        raise BankRefused(
            status, "The bank does not know the key: it is mistyped, expired or revoked. Ask for a new one."
        )
    if status == 403:
        raise BankRefused(
            status, "The bank does not let this key do that, or not from this address. Ask the bank what it is for."
        )
    if status == 404:
        raise BankRefused(status, "The bank has nothing of the kind at this address. It ends in /v2; check it.")
    if status == 410:
        raise CursorGone
    raise BankRefused(status, f"The bank refused (HTTP {status}). Is one of the two out of date?")
