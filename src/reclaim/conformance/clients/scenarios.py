"""What a platform's client must do, as scenes with a bank."""

from __future__ import annotations

from typing import Any

from reclaim.conformance.clients.scripted_bank import V1, broken_off, refused, right, with_body
from reclaim.conformance.clients.stage import Stage
from reclaim.conformance.outcome import Check, NotApplicableError, expect
from reclaim.conformance.values import new_md5, new_pdq

_HOUR = 3600
_RESUME = "Store each page together with where it ends, and begin there the next time."
_MOST_REQUESTS = 60


def _some(count: int) -> list[str]:
    return [new_pdq() for _ in range(count)]


def _filled(stage: Stage, count: int, *, ago: int = 1000) -> list[str]:
    """So many signals, a second apart."""
    values = _some(count)
    for place, value in enumerate(values):
        stage.bank.put(value, second=stage.bank.now() - ago + place)
    return values


def first_fetch(stage: Stage) -> None:
    values = _filled(stage, 8)
    stage.syncs_well()
    stage.holds(
        values, "Ask for pages until hasMoreRecords (v2: has_more) is false, with the token of the page before."
    )


def resume(stage: Stage) -> None:
    values = _filled(stage, 7)
    stage.syncs_well()
    stage.bank.forget_asked()
    more = _some(2)
    stage.bank.put(*more)
    stage.syncs_well()
    stage.holds([*values, *more], _RESUME)
    name = "startTimestamp" if stage.bank.wire == V1 else "after"
    first = stage.bank.pages_asked()[0].query.get(name)
    expect(
        first not in (None, "", "0", "10"),
        "The second sync asked for the whole feed again.",
        "Store nextSetTimestamp (v2: the cursor) of the last page and begin there. A bank has millions of signals.",
    )


def interrupted(stage: Stage) -> None:
    values = _filled(stage, 8)
    # Clients try a page again up to four times.
    stage.bank.faults = [right, *[broken_off] * 5]
    stage.sync()
    stage.bank.faults = []
    stage.syncs_well()
    stage.holds(values, _RESUME)


def late_commit(stage: Stage) -> None:
    values = _filled(stage, 4)
    second = stage.bank.now()
    stage.bank.put(values[-1], second=second)
    stage.syncs_well()
    late = new_pdq()
    stage.bank.put(late, second=second)
    stage.syncs_well()
    stage.holds(
        [*values, late],
        "startTimestamp is inclusive: ask again from the very second you have seen, not from the next one.",
    )


def replaced(stage: Stage) -> None:
    values = _filled(stage, 4)
    stage.syncs_well()
    stage.bank.put(values[0], values[2])
    stage.syncs_well()
    stage.holds(values, "A record replaces the earlier one of the same type and value; it is not a second signal.")


def withdrawal(stage: Stage) -> None:
    values = _filled(stage, 5)
    stage.syncs_well()
    stage.bank.withdraw(values[1])
    stage.bank.withdraw(values[3], status="Deleted" if stage.bank.wire == V1 else "Withdrawn")
    stage.syncs_well()
    stage.holds(
        [values[0], values[2], values[4]],
        "Look at hashStatus (v2: status), not at hashValue: Withdrawn and Deleted mean that your copy goes. A person "
        "was told that it does.",
    )


def withdrawal_in_the_first_fetch(stage: Stage) -> None:
    values = _filled(stage, 5)
    stage.bank.withdraw(values[0])
    stage.syncs_well()
    stage.holds(values[1:], "A tombstone is no signal: never match it, also if you never had the signal.")


def acknowledgement(stage: Stage) -> None:
    values = _filled(stage, 4)
    stage.syncs_well()
    stage.bank.withdraw(values[2])
    stage.syncs_well()
    if values[2] not in stage.bank.acknowledged():
        # A client may store first and tell at its next run, as long as that is within the clock.
        stage.syncs_well()
    expect(
        values[2] in stage.bank.acknowledged(),
        "Two syncs after a withdrawal the bank has not been told that the copy is deleted.",
        "Send SubmitFeedback with feedbackValue Deleted (v2: POST acknowledgements) once your copy is gone. Until then "
        "the person reads that you have not confirmed it.",
    )


def comes_back(stage: Stage) -> None:
    values = _filled(stage, 3)
    stage.syncs_well()
    stage.bank.withdraw(values[0])
    stage.syncs_well()
    stage.bank.put(values[0])
    stage.syncs_well()
    stage.holds(values, "A signal that is active again after its withdrawal was reported again: hold it.")


def malformed(stage: Stage) -> None:
    values = _filled(stage, 4)

    def spoilt(body: dict[str, Any]) -> dict[str, Any]:
        records = body["hashRecords" if stage.bank.wire == V1 else "records"]
        name = "hashValue" if stage.bank.wire == V1 else "value"
        cut_off = {**records[0], name: records[0][name][:31]}
        unknown = {**records[0], name: new_pdq(), "hashStatus": "Perhaps", "status": "perhaps"}
        no_words = {key: value for key, value in records[0].items() if key not in ("CSPFeedbacks", "decisions")}
        records[:] = [cut_off, unknown, *records[1:], {**no_words, "somethingNew": {"a": 1}}]
        return {**body, "somethingNew": True}

    stage.bank.faults = [with_body(spoilt)]
    stage.sync()
    held = stage.held()
    expect(
        set(values) <= held,
        f"One page held two records that cannot be read; of the {len(values)} sound ones "
        f"{len(set(values) - held)} are missing.",
        "Leave out what you cannot read, count it, and keep the rest. Fields that you do not know are no fault.",
    )
    expect(
        held <= set(values),
        "The client holds a value that is no PDQ value, or a status that it cannot know.",
        "Check each value (64 lower-case hexadecimal digits for PDQ) and keep only what is Active.",
    )


def slow_down(stage: Stage) -> None:
    values = _filled(stage, 5)
    stage.bank.faults = [right, refused(429, retry_after=1)]
    code = stage.sync()
    if code != 0:
        stage.syncs_well()
    stage.holds(values, "After 429, wait as long as Retry-After says and go on with the same page.")


def server_error(stage: Stage) -> None:
    values = _filled(stage, 5)
    stage.syncs_well()
    stage.bank.put(*(more := _some(1)))
    stage.bank.faults = [refused(503, retry_after=0)] * 12
    stage.sync()
    held = stage.held()
    expect(
        set(values) <= held,
        "While the bank could not answer, the client let go of signals that it held.",
        "What is stored stays in use until the bank says otherwise.",
    )
    stage.bank.faults = []
    stage.syncs_well()
    stage.holds([*values, *more], _RESUME)


def keys_refused(stage: Stage) -> None:
    values = _filled(stage, 3)
    stage.syncs_well()
    stage.bank.faults = [refused(401)] * 8
    code = stage.sync()
    expect(
        code != 0,
        "The bank refused the client's keys, and its sync ended with exit code 0.",
        "End with an error that says that the keys are expired or revoked: nobody sees a silent stop.",
    )
    stage.bank.faults = []
    stage.holds(values, "Refused keys are no withdrawal: what is stored stays.")


def bank_clock_ahead(stage: Stage) -> None:
    _skewed(stage, 2 * _HOUR)


def bank_clock_behind(stage: Stage) -> None:
    _skewed(stage, -2 * _HOUR)


def _skewed(stage: Stage, seconds: int) -> None:
    stage.bank.clock_offset = seconds
    values = _filled(stage, 4)
    stage.syncs_well()
    more = _some(2)
    stage.bank.put(*more)
    stage.bank.withdraw(values[0])
    stage.syncs_well()
    stage.bank.put(*(last := _some(1)))
    stage.syncs_well()
    gone = stage.held() & {values[0]}
    expect(
        (set(values[1:]) | {*more, *last}) <= stage.held() | gone,
        f"With a bank's clock {abs(seconds) // _HOUR} hours {'ahead' if seconds > 0 else 'behind'}, some are missing.",
        "Resume where the bank's own answers ended; never ask from your own clock's time.",
    )


def rewind(stage: Stage) -> None:
    if stage.bank.wire != V1:
        raise NotApplicableError("A v2 bank says 410 instead; its cursors cannot go backwards.")
    values = _filled(stage, 7)
    stage.bank.faults = [right, with_body(lambda body: {**body, "nextSetTimestamp": 10, "nextPageToken": "3"})]
    stage.sync()
    expect(
        len(stage.bank.pages_asked()) <= _MOST_REQUESTS,
        "A page whose nextSetTimestamp goes backwards kept the client asking.",
        "Stop when a page ends earlier than the one before, and say so.",
    )
    stage.bank.faults = []
    stage.syncs_well()
    stage.holds(values, "A timestamp that goes backwards must not be stored, or what lies between is fetched no more.")


def cursor_gone(stage: Stage) -> None:
    if stage.bank.wire == V1:
        raise NotApplicableError("v1 has no cursors.")
    values = _filled(stage, 7)
    stage.syncs_well()
    stage.bank.restore_without(values[2])
    stage.bank.put(*(more := _some(2)))
    stage.syncs_well()
    stage.holds(
        [*values[:2], *values[3:], *more],
        "After 410 with the type urn:reclaim:cursor-gone fetch everything again, and drop what did not come: it was "
        "withdrawn while nobody could tell you.",
    )


def endless(stage: Stage) -> None:
    values = _filled(stage, 4)
    name = "hasMoreRecords" if stage.bank.wire == V1 else "has_more"
    token = "nextPageToken" if stage.bank.wire == V1 else "cursor"
    stage.bank.faults = [with_body(lambda body: {**body, name: True, token: ""})] * 500
    stage.sync()
    expect(
        len(stage.bank.pages_asked()) <= _MOST_REQUESTS,
        f"A bank that says «there is more» and does not say where was asked {len(stage.bank.pages_asked())} times.",
        "«More» without a token to ask for it is a fault of the bank: stop there, and say so.",
    )
    stage.bank.faults = []
    stage.syncs_well()
    stage.holds(values, _RESUME)


def exact_files(stage: Stage) -> None:
    pictures = _filled(stage, 2)
    files = [new_md5(), new_md5()]
    stage.bank.put(*files, type="VideoMD5")
    stage.syncs_well()
    stage.holds([*pictures, *files], "Hold MD5 values of files too: some reports have nothing else.")


_LOST = "A signal that a client never has is a picture that goes on being shared."
_WITHDRAWN = "A person who withdraws was promised that every platform deletes its copy."
_STOPS = "A client that stops, or asks for ever, protects nobody, and one platform's client can slow a bank for all."

CLIENT_CHECKS: tuple[Check[Stage], ...] = (
    Check("first-fetch", "The first sync brings every page", _LOST, first_fetch),
    Check("resume", "A later sync goes on where the last one ended", _STOPS, resume),
    Check("interrupted", "A fetch that breaks off loses nothing", _LOST, interrupted),
    Check(
        "late-commit", "A signal that comes late in a second that was seen already is not missed", _LOST, late_commit
    ),
    Check("replaced", "A record that comes again replaces the earlier one", _LOST, replaced),
    Check("exact-files", "Exact fingerprints of files are held too", _LOST, exact_files),
    Check("withdrawal", "A withdrawn signal is deleted", _WITHDRAWN, withdrawal),
    Check(
        "withdrawal-first",
        "A signal that was withdrawn before the first sync is never held",
        _WITHDRAWN,
        withdrawal_in_the_first_fetch,
    ),
    Check("acknowledgement", "The bank is told of the deletion within its clock", _WITHDRAWN, acknowledgement),
    Check("comes-back", "A signal that is reported again after its withdrawal is held again", _LOST, comes_back),
    Check("malformed", "One record that cannot be read costs no other", _LOST, malformed),
    Check("slow-down", "A bank that asks to be asked later is asked later", _STOPS, slow_down),
    Check("server-error", "A bank that cannot answer costs nothing that is held", _LOST, server_error),
    Check("keys-refused", "Refused keys are said, and cost nothing that is held", _STOPS, keys_refused),
    Check("clock-ahead", "A bank whose clock is two hours ahead loses nothing", _LOST, bank_clock_ahead),
    Check("clock-behind", "A bank whose clock is two hours behind loses nothing", _LOST, bank_clock_behind),
    Check("rewind", "Timestamps that go backwards lose nothing", _LOST, rewind),
    Check("cursor-gone", "A bank that went back to a backup is fetched anew", _WITHDRAWN, cursor_gone),
    Check("endless", "A feed that never ends is left", _STOPS, endless),
)
