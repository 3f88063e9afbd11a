"""What a bank must do, on either wire."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections import Counter
from typing import Any

from reclaim.client import BankError
from reclaim.client.snapshot import read_manifest
from reclaim.conformance.banks.wire import V1, V2, BankUnderTest, Feed, Said
from reclaim.conformance.outcome import Check, FailedError, NotApplicableError, expect
from reclaim.conformance.values import new_pdq
from reclaim.protocol.native_v2 import MOST_PAIRS
from reclaim.protocol.stopncii_v1 import (
    FUNCTION_KEY_HEADER,
    SUBSCRIPTION_KEY_HEADER,
    FeedbackValue,
    HashStatus,
    SignalType,
)
from reclaim.signals.descriptors import name_of, parse_descriptors

_LOST = "A signal that a platform never gets is a picture that goes on being shared."
_OPEN = "Whoever can read a bank without a vetted key can ask it what it knows."
_CRASH = "Clients in use stop, or silently drop the record."
_WITHDRAWN = "A person who withdraws was promised that every platform deletes its copy."
_HALF_AN_HOUR = 1800
_WRITERS, _EACH = 6, 5
_MOST_IN_A_SECOND = 2000
_SEES_WITHIN = 5.0
_MADE_WITHIN = 120.0


def keys_needed(bank: BankUnderTest) -> None:
    wrong = {"Authorization": "Bearer wrong"} if bank.wire == V2 else dict.fromkeys(_V1_HEADERS, "wrong")
    path = "/signals" if bank.wire == V2 else "/FetchHashes"
    for keys, which in (({}, "no key"), (wrong, "a wrong key")):
        said = bank.call("GET", path, keys=keys)
        expect(
            said.status in (401, 403),
            f"With {which} the feed was answered with {said.status}.",
            "Answer 401 to whoever has no vetted key.",
        )


_V1_HEADERS = (FUNCTION_KEY_HEADER, SUBSCRIPTION_KEY_HEADER)


def v1_shape(bank: BankUnderTest) -> None:
    bank.needs(V1)
    token = None
    for _ in range(20):
        said = bank.page("", token)
        body = said.body
        expect(said.status == 200 and isinstance(body, dict), f"The feed was answered with {said.status}.", _SHAPE)
        for fault in _v1_faults(body):
            expect(False, fault, _SHAPE)
        token = body["nextPageToken"]
        if not body["hasMoreRecords"]:
            return


_SHAPE = "docs/conformance.md lists what stock clients crash on and what they silently drop."


def _v1_faults(page: dict[str, Any]) -> list[str]:
    faults = []
    for name, kind in (("count", int), ("nextSetTimestamp", int), ("hasMoreRecords", bool), ("hashRecords", list)):
        if type(page.get(name)) is not kind:
            faults.append(f"{name} is not of type {kind.__name__}.")
    if faults:
        return faults
    if page["nextSetTimestamp"] >= 10**11:
        faults.append("nextSetTimestamp is in milliseconds.")
    if page["hasMoreRecords"] and not page.get("nextPageToken"):
        faults.append("hasMoreRecords is true and nextPageToken is empty: stock clients fetch page one for ever.")
    for record in page["hashRecords"]:
        faults += _v1_record_faults(record)
    seconds = [record.get("lastModtimestamp", 0) for record in page["hashRecords"]]
    if not faults and seconds != sorted(seconds):
        faults.append("Records are not ordered by lastModtimestamp.")
    if not faults and seconds and page["nextSetTimestamp"] != seconds[-1]:
        faults.append("nextSetTimestamp is not the lastModtimestamp of the last record on the page.")
    return faults[:1]


def _v1_record_faults(record: Any) -> list[str]:
    if not isinstance(record, dict):
        return ["A record is no object."]
    checks = {
        "lastModtimestamp is not a whole number of seconds": type(record.get("lastModtimestamp")) is int,
        "signalType is unknown": record.get("signalType") in {*SignalType},
        "hashStatus is unknown": record.get("hashStatus") in {*HashStatus},
        "hashValue is empty, or has capital letters": re.fullmatch(r"[^A-Z]+", str(record.get("hashValue") or "")),
        "caseNumbers is null or missing": isinstance(record.get("caseNumbers"), dict | list),
    }
    faults = [f"{fault}." for fault, fine in checks.items() if not fine]
    for said in record.get("CSPFeedbacks") or []:
        if said.get("feedbackValue") not in {*FeedbackValue} or not isinstance(said.get("tags", []), list):
            faults.append("A word of CSPFeedbacks is unknown, or its tags are no list.")
    return faults


def v2_shape(bank: BankUnderTest) -> None:
    bank.needs(V2)
    about = bank.call("GET", "/", keys={})
    expect(about.status == 200, f"GET /v2/ was answered with {about.status}.", "Say without a key what this bank is.")
    for name in ("bank", "bank_id", "software", "staging", "acknowledge_within_seconds", "largest_page"):
        expect(name in (about.body or {}), f"GET /v2/ lacks {name}.", "Send every field of the contract.")
    schema = bank.call("GET", "/openapi.json", keys={})
    version = str((schema.body or {}).get("openapi", ""))
    expect(version.startswith("3.1"), "There is no OpenAPI 3.1 document.", "Serve /v2/openapi.json.")
    for record in bank.read(most_pages=20).records:
        raw = record.raw
        expect(
            raw.get("type") in ("pdq", "md5", "vpdq") and raw.get("status") in ("active", "withdrawn"),
            "A record has an unknown type or status.",
            _SHAPE,
        )
        expect(
            0 <= raw.get("trust", -1) <= 100 and raw.get("action") in ("block", "review"),
            "A record says no trust from 0 to 100, or no action.",
            _SHAPE,
        )
        expect(
            not record.gone or "acknowledge_by" in raw or raw.get("because") == "trust",
            "A withdrawn record does not say by when its deletion is to be confirmed.",
            "Send acknowledge_by with every withdrawal.",
        )


def small_pages(bank: BankUnderTest) -> None:
    whole = bank.read(size=12, most_pages=1)
    if len(whole.records) < 3:
        raise NotApplicableError("The bank has too few signals.")
    wanted = [record.value for record in whole.records]
    small = [record.value for record in bank.read(size=2, most_pages=6).records]
    # Within a page of v2 records come in no order that says anything.
    expect(
        small[: len(wanted)] == wanted[: len(small)] if bank.wire == V1 else sorted(small) == sorted(wanted),
        "Small pages bring other records, or another order, than large ones.",
        "One order for all page sizes, and each page begins right after the one before.",
    )
    twice = [value for value, count in Counter(small).items() if count > 1]
    expect(
        not twice, "A record came twice within one reading.", "A page begins after the last record of the one before."
    )


def resumes(bank: BankUnderTest) -> None:
    first = bank.read(size=2, most_pages=2)
    rest = bank.read(first.resume)
    everything = bank.read()
    got = {record.value for record in (*first.records, *rest.records)}
    missing = {record.value for record in everything.records} - got
    expect(
        not missing,
        f"A client that stops after two pages and resumes later misses {len(missing)} signals.",
        "v1: startTimestamp is inclusive, and nextSetTimestamp is that of the last record on this page.",
    )


def rewinds(bank: BankUnderTest) -> None:
    once, again = bank.read(most_pages=5), bank.read(most_pages=5)
    lost = {record.value for record in once.records} - {record.value for record in bank.read().records}
    expect(
        not lost or len(again.records) >= len(once.records),
        f"Whoever reads from the beginning again misses {len(lost)} signals that were there a moment ago.",
        "Every signal, and every tombstone for 30 days, stays in the feed.",
    )


def not_one_second(bank: BankUnderTest) -> None:
    bank.needs(V1)
    seconds = Counter(record.raw["lastModtimestamp"] for record in bank.read().records)
    most = max(seconds.values(), default=0)
    expect(
        most <= _MOST_IN_A_SECOND,
        f"{most} records share one second.",
        "A stock client that is cut off resumes by the second alone: spread many changes over several.",
    )


def unlinkable(bank: BankUnderTest) -> None:
    bank.needs(V1)
    names: Counter[str] = Counter()
    for record in bank.read(most_pages=20).records:
        names.update(dict.fromkeys(record.raw.get("caseNumbers") or {}, 1))
    shared = sum(count > 1 for count in names.values())
    expect(
        shared == 0,
        f"{shared} case numbers stand with more than one signal.",
        "Give each signal of a case a name of its own, and each platform others, so that nothing ties them together.",
    )


def one_value_one_record(bank: BankUnderTest) -> None:
    feed = bank.read()
    twice = sum(count > 1 for count in Counter(record.value for record in feed.records).values())
    expect(
        twice <= len(feed.records) // 100,
        f"{twice} signals stand in the feed more than once.",
        "A record is the whole of a signal and replaces the earlier one.",
    )


def bad_requests(bank: BankUnderTest) -> None:
    if bank.wire == V2:
        asked = [("/signals", {"after": "nonsense"}), ("/signals", {"limit": "-1"}), ("/signals", {"types": "x"})]
    else:
        asked = [
            ("/FetchHashes", {"startTimestamp": "yesterday"}),
            ("/FetchHashes", {"pageSize": "-1"}),
            ("/FetchHashes", {"nextPageToken": "nonsense"}),
        ]
    for path, query in asked:
        said = bank.call("GET", path, query=query)
        expect(
            said.is_problem,
            f"{path} with {' and '.join(map('='.join, query.items()))} was answered with {said.status}.",
            "Answer 4xx with a JSON body that says what to do; 5xx is retried, 200 hides the fault.",
        )


def double_slash(bank: BankUnderTest) -> None:
    bank.needs(V1)
    said = bank.call("GET", "//FetchHashes", query={"pageSize": "1"})
    expect(
        said.status == 200, f"GET //FetchHashes: {said.status}.", "Bases that end with a slash are in use: allow it."
    )


def find_appears(bank: BankUnderTest) -> None:
    bank.writes()
    value = new_pdq()
    start = bank.read().resume
    said = bank.submit(value)
    expect(said.status == 200 and said.body is not None, f"A submission: {said.status}, or no JSON body.", _JSON_BODY)
    _wait_for(bank, start, {value: False}, "A submitted signal")
    bank.take_back(value)


_JSON_BODY = "Answer every POST with a JSON body: an empty one crashes stock clients."


def _wait_for(bank: BankUnderTest, start: str, wanted: dict[str, bool], what: str) -> Feed:
    end = time.monotonic() + _SEES_WITHIN
    while True:
        feed = bank.read(start)
        if all(feed.standing.get(value) is gone for value, gone in wanted.items()):
            return feed
        expect(
            time.monotonic() < end,
            f"{what} was not in the feed {_SEES_WITHIN:.0f} seconds later, for whoever resumes where he stood before.",
            "A change moves its record to the end of the feed at once.",
        )
        time.sleep(0.1)


def withdrawal(bank: BankUnderTest) -> None:
    bank.writes()
    value = new_pdq()
    bank.submit(value)
    start = bank.read().resume
    said = bank.take_back(value)
    expect(said.status == 200 and said.body is not None, f"A withdrawal: {said.status}, or no JSON body.", _JSON_BODY)
    feed = bank.read(start)
    own = [record for record in feed.records if record.value == value]
    expect(
        not own or own[-1].gone,
        "After its withdrawal the signal is still active in the feed.",
        "A withdrawn signal is a tombstone in the next page of every feed.",
    )


def late_commits(bank: BankUnderTest) -> None:
    bank.writes()
    values = [[new_pdq() for _ in range(_EACH)] for _ in range(_WRITERS)]
    position = bank.read().resume
    seen: set[str] = set()

    def write(own: list[str]) -> None:
        for value in own:
            bank.submit(value)

    writers = [threading.Thread(target=write, args=(own,)) for own in values]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        feed = bank.read(position, size=3)
        seen |= set(feed.standing)
        position = feed.resume
    seen |= set(bank.read(position).standing)
    missing = {value for own in values for value in own} - seen
    bank.take_back(*(value for own in values for value in own))
    expect(
        not missing,
        f"While {_WRITERS} wrote at once, a reader that followed the feed missed {len(missing)} of "
        f"{_WRITERS * _EACH} signals.",
        "A record must be committed before a later place in the feed is handed out: let writers take their turn.",
    )


def one_bad_entry(bank: BankUnderTest) -> None:
    bank.writes()
    start, good = bank.read().resume, new_pdq()
    said = bank.submit("zz", good)
    expect(
        said.status < 500, f"A submission with one bad value was answered with {said.status}.", "Refuse, do not fail."
    )
    if said.status == 200:
        _wait_for(bank, start, {good: False}, "The good one of a good and a bad signal, answered with 200,")
        bank.take_back(good)


def snapshot(bank: BankUnderTest) -> None:
    bank.needs(V2)
    about = bank.call("GET", "/", keys={}).body or {}
    end = time.monotonic() + _MADE_WITHIN
    while (said := bank.call("GET", "/snapshot")).status == 202:
        expect(time.monotonic() < end, f"No snapshot was made within {_MADE_WITHIN:.0f} seconds.", "Make it sooner.")
        time.sleep(0.5)
    expect(said.status == 200, f"GET /v2/snapshot was answered with {said.status}.", "Give a signed manifest, or 202.")
    try:
        key = base64.b64decode(about["snapshot_key"])
        manifest = read_manifest(json.dumps(said.body).encode(), key, about["bank_id"])
    except (KeyError, ValueError, BankError) as error:
        raise FailedError(
            f"The manifest does not hold: {error}", "Sign it as a DSSE envelope with the key that GET /v2/ names."
        ) from error
    rows = 0
    for part in manifest.parts:
        whole, half = bank.download(part.href), bank.download(part.href, start=part.bytes // 2)
        expect(
            hashlib.sha256(whole).hexdigest() == part.sha256,
            "A part of the snapshot has another digest than its manifest says.",
            "Keep a part as it is for as long as its manifest is given out.",
        )
        expect(
            half == whole[part.bytes // 2 :],
            "The second half of a part, asked for with Range, is not its second half.",
            "Answer 206 with the range: who is cut off goes on from there.",
        )
        rows += part.rows
    feed = bank.read()
    active = sum(not gone for gone in feed.standing.values())
    later = {record.value for record in bank.read(manifest.cursor).records}
    expect(
        rows >= active - len(later),
        f"The snapshot has {rows} signals, the feed {active}, of which {len(later)} came after it.",
        "A snapshot holds everything that is in place where its cursor stands.",
    )


_EXTRA = "Descriptors say more of a picture than a fingerprint: whoever was not let have them must get none."


def _extra_page(bank: BankUnderTest) -> Said:
    """A page of descriptors; leaves the check where the key does not open them."""
    bank.needs(V2)
    said = bank.call("GET", "/signals", query={"types": "descriptors", "limit": "50"})
    if said.status != 200:
        expect(
            said.is_problem,
            f"Descriptors, asked for with a key that does not open them, were answered with {said.status}.",
            "Answer 403 where the key lacks the scope; 422 where the bank has no such type.",
        )
        raise NotApplicableError("The key does not open descriptors.")
    return said


def extra_types(bank: BankUnderTest) -> None:
    said = _extra_page(bank)
    for raw in said.body["records"]:
        active = raw.get("status") == "active"
        expect(
            raw.get("type") == "descriptors" and raw.get("action") == "review",
            "A record of the fetch of descriptors is of another type, or may be acted on without a person.",
            "Give in such a fetch what it names, and «review» with each.",
        )
        expect(
            active == bool(raw.get("descriptors")),
            "Active descriptors come without their bytes, or withdrawn ones with them.",
            "A tombstone needs no more than the name.",
        )
        if active:
            try:
                fine = name_of(parse_descriptors(raw["descriptors"])) == raw["value"]
            except ValueError as error:
                raise FailedError(
                    f"Descriptors cannot be read: {error}", "docs/exchange-v2.md has their form."
                ) from error
            expect(fine, "The value does not name its descriptors.", "It is the SHA-256 of their bytes.")
    mixed = bank.call("GET", "/signals", query={"types": "pdq,descriptors"})
    expect(
        mixed.is_problem,
        f"Extra types among the others were answered with {mixed.status}.",
        "Refuse it: they have a fetch, and a cursor, of their own.",
    )


def placement_check(bank: BankUnderTest) -> None:
    _extra_page(bank)
    pairs = [[slot, 8 * slot, 100, 4, 0, 0] for slot in range(MOST_PAIRS)]
    unknown = {"value": hashlib.sha256(new_pdq().encode()).hexdigest(), "frame": [512, 384], "pairs": pairs}
    said = bank.call("POST", "/placements/check", body=unknown)
    expect(
        said.status == 200 and isinstance(said.body, dict) and said.body.get("match") is False,
        f"A check of descriptors that the bank does not have was answered with {said.status}, or with yes.",
        "Answer no, after the same work.",
    )
    for bad in ({"pairs": [*pairs, pairs[0]]}, {"frame": [300, 200]}, {"pairs": [[0, 1, 1, 99, 0, 0]] * 8}):
        said = bank.call("POST", "/placements/check", body={**unknown, **bad})
        expect(
            said.is_problem,
            f"A check with {next(iter(bad))} out of range was answered with {said.status}.",
            "Refuse it before anything is looked at.",
        )


def says_when(bank: BankUnderTest) -> None:
    expect(
        not bank.unmannered,
        f"Refused for now without saying until when: {'; '.join(bank.unmannered[:3])}.",
        "Send Retry-After with 429 and 503.",
    )


def clock(bank: BankUnderTest) -> None:
    bank.needs(V1)
    latest = max((record.raw["lastModtimestamp"] for record in bank.read().records), default=0)
    ahead = latest - int(time.time())
    expect(
        ahead < _HALF_AN_HOUR,
        f"The newest record lies {ahead} seconds in the future.",
        "Set the bank's clock, or slow down: a client's clock decides when its copy is too old.",
    )


BANK_CHECKS: tuple[Check[BankUnderTest], ...] = (
    Check("keys-needed", "Nothing is told without a key", _OPEN, keys_needed),
    Check("v1-shape", "Pages have the shape that clients in use expect", _CRASH, v1_shape),
    Check("v2-shape", "Pages have the shape of the contract", _CRASH, v2_shape),
    Check("small-pages", "Small pages bring what large ones bring", _LOST, small_pages),
    Check("resume", "A fetch that stops and goes on later loses nothing", _LOST, resumes),
    Check("rewind", "Whoever begins again finds everything again", _LOST, rewinds),
    Check("one-record", "A signal stands in the feed once", _CRASH, one_value_one_record),
    Check("one-second", "No second holds more than a client fetches in one go", _LOST, not_one_second),
    Check(
        "unlinkable", "Nothing ties a person's pictures together", "Platforms could tell who reported what.", unlinkable
    ),
    Check("bad-requests", "A request that cannot be read is refused, not failed", _CRASH, bad_requests),
    Check("double-slash", "A base address with a slash at its end works", _CRASH, double_slash),
    Check("clock", "The bank's clock is right", _LOST, clock),
    Check("find", "A submitted signal is in the feed at once", _LOST, find_appears),
    Check("withdrawal", "A withdrawn signal is a tombstone at once", _WITHDRAWN, withdrawal),
    Check("late-commits", "Many writers at once hide nothing from a reader", _LOST, late_commits),
    Check("one-bad-entry", "One bad value costs no other", _LOST, one_bad_entry),
    Check("snapshot", "A snapshot is signed, whole, and goes on where it stopped", _LOST, snapshot),
    Check("extra-types", "Descriptors come by themselves, for review alone", _EXTRA, extra_types),
    Check("placement-check", "A check of a placement says no more than it must", _EXTRA, placement_check),
    Check("says-when", "A refusal for now says until when", "Clients would come back at once, all of them.", says_when),
)
