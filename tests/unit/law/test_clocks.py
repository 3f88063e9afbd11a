"""Clocks of law, each against a case that was worked out by hand, with the local times beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from string import ascii_uppercase

import pytest

from reclaim.bank.law.clocks import Countries, ends_at, holds, running, zone_of
from reclaim.bank.law.laws import Confidence, Event, Law, Status, Unit, Whose, shipped_laws
from reclaim.bank.law.tiles import tiles_of
from reclaim.sitekit.places import is_country

UNINHABITED = {"AC", "AQ", "BV", "CP", "CQ", "DG", "EA", "HM", "IC", "TA", "UM"}
"""Codes of no people's country of their own: outposts, and parts of another country that ISO reserves letters for."""

RECEIVED, SENT, ORDER = Event.REQUEST_RECEIVED, Event.REQUEST_SENT, Event.ORDER_RECEIVED
NOTICE, REPORT = Event.NOTICE_BY_AUTHORITY, Event.REPORT_TO_AUTHORITY
NOBODY = Countries("")


def at(text: str) -> datetime:
    """A moment in UTC, from «2026-11-01 00:00»."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


BY_HAND = [
    # 31 October 20:00 in New York is summer time; clocks go back on 1 November at 2:00; it ends on 2 November at 19:00.
    ("us-take-it-down", "US", RECEIVED, "2026-11-01 00:00", "2026-11-03 00:00"),
    # The duty began on 19 May 2026, which began in New York at 4:00 UTC.
    ("us-take-it-down", "US", RECEIVED, "2026-05-19 03:59", None),
    ("us-take-it-down", "US", RECEIVED, "2026-05-19 04:00", "2026-05-21 04:00"),
    # No source says that the duty has begun.
    ("gb-crime-and-policing-2026", "GB", RECEIVED, "2026-11-20 12:00", None),
    # 4 October 1:00 in Sydney; clocks go forward at 2:00; it ends on 5 October at 2:00, 24 hours later.
    ("au-online-safety-notice", "AU", NOTICE, "2026-10-03 15:00", "2026-10-04 15:00"),
    # A request to the platform starts nothing in Australia: the Commissioner's notice does.
    ("au-online-safety-notice", "AU", RECEIVED, "2026-10-03 15:00", None),
    # A Sunday: hours do not wait for Monday.
    ("in-it-rules-2026", "IN", RECEIVED, "2026-03-01 10:00", "2026-03-01 12:00"),
    # 20 February 0:00 in India is 19 February 18:30 UTC.
    ("in-it-rules-2026", "IN", RECEIVED, "2026-02-19 18:29", None),
    ("in-it-rules-2026", "IN", RECEIVED, "2026-02-19 18:30", "2026-02-19 20:30"),
    ("in-it-rules-2026-order", "IN", ORDER, "2026-03-01 23:00", "2026-03-02 02:00"),
    # Friday 27 February 23:30 in India; the seventh day after is Friday 6 March, which ends at 18:30 UTC.
    ("in-it-rules-2026-grievance", "IN", RECEIVED, "2026-02-27 18:00", "2026-03-06 18:30"),
    # The former rule held until the end of 19 February, in India.
    ("in-it-rules-2021", "IN", RECEIVED, "2026-02-19 18:29", "2026-02-20 18:29"),
    ("in-it-rules-2021", "IN", RECEIVED, "2026-02-19 18:30", None),
    # 29 June 0:00 in Singapore. It counts from the person's report, whenever the platform says that it has it.
    ("sg-online-safety-relief", "SG", SENT, "2026-06-28 16:00", "2026-06-29 16:00"),
    ("sg-online-safety-relief", "SG", SENT, "2026-06-28 15:59", None),
    ("sg-online-safety-relief", "SG", RECEIVED, "2026-07-01 09:00", None),
    # Christmas Eve to Christmas Day.
    ("ng-nitda-code", "NG", RECEIVED, "2026-12-24 22:00", "2026-12-25 22:00"),
    # Saturday 28 March 13:00 in Rome; clocks go forward in the night; it ends on Monday at 14:00, 48 hours later.
    ("it-garante-144-bis", "IT", REPORT, "2026-03-28 12:00", "2026-03-30 12:00"),
    # 5 April 0:00 in Auckland; clocks go back at 3:00; it ends on 6 April at 23:00.
    ("nz-hdca-24", "NZ", RECEIVED, "2026-04-04 11:00", "2026-04-06 11:00"),
]


@pytest.mark.parametrize(("key", "country", "event", "start", "end"), BY_HAND)
def test_a_deadline_of_law_ends_when_it_was_worked_out_to(
    key: str, country: str, event: Event, start: str, end: str | None
) -> None:
    found = {clock.row_key: clock for clock in running(Countries(country), {event: at(start)}, shipped_laws())}
    if end is None:
        assert key not in found
    else:
        assert (found[key].starts_at, found[key].ends_at) == (at(start), at(end))


def test_every_row_with_a_deadline_was_worked_out() -> None:
    assert {key for key, *_ in BY_HAND} == {law.key for law in shipped_laws() if law.has_deadline}


def test_a_clock_says_why_it_runs_and_whether_that_is_stated() -> None:
    (clock,) = running(Countries("DE", platform="US"), {RECEIVED: at("2026-11-20 12:00")}, shipped_laws())
    assert clock.basis == (
        "48 hours from when the platform received the request: TAKE IT DOWN Act, notice and removal, US; platform's "
        "country, which is our reading of whom it reaches"
    )
    assert (clock.country, clock.authority, clock.reviewed) == ("US", "Federal Trade Commission", False)
    (clock,) = running(Countries("AU", host="AU"), {NOTICE: at("2026-11-20 12:00")}, shipped_laws())
    assert clock.basis.endswith("AU; person's and host's country")


def test_only_the_countries_that_a_law_reaches_start_its_clock() -> None:
    events = {RECEIVED: at("2026-11-20 12:00"), NOTICE: at("2026-11-20 12:00")}
    assert running(Countries("", platform="AU", host="US"), events, shipped_laws()) == []
    assert running(NOBODY, events, shipped_laws()) == []


def test_the_first_to_end_comes_first() -> None:
    events = {RECEIVED: at("2026-11-20 12:00")}
    ends = [clock.ends_at for clock in running(Countries("NZ", "US", "IN"), events, shipped_laws())]
    assert ends == sorted(ends)
    assert len(running(Countries("IN", "US"), events, shipped_laws())) == 3


def test_more_time_that_an_authority_allows_moves_the_end_only_where_the_law_lets_it() -> None:
    events = {NOTICE: at("2026-11-20 12:00"), RECEIVED: at("2026-11-20 12:00")}
    later = events | {Event.EXTENDED_TO: at("2026-11-25 12:00")}
    (clock,) = running(Countries("AU"), later, shipped_laws())
    assert clock.ends_at == at("2026-11-25 12:00")
    assert clock.basis.endswith("the authority has allowed more time")
    (clock,) = running(Countries("AU"), events | {Event.EXTENDED_TO: at("2026-11-20 13:00")}, shipped_laws())
    assert clock.ends_at == at("2026-11-21 12:00"), "an authority does not take time away"
    (clock,) = running(Countries("US"), later, shipped_laws())
    assert clock.ends_at == at("2026-11-22 12:00")


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        running(Countries("US"), {RECEIVED: datetime(2026, 11, 20)}, shipped_laws())


LAW = Law(
    key="de-made-up",
    place="DE",
    name="Made up",
    year=2000,
    confidence=Confidence.STATED,
    status=Status.IN_FORCE,
    read_on=date(2026, 11, 26),
    amount=1,
    unit=Unit.DAYS,
    starts=RECEIVED,
    due="remove it",
    reach=(Whose.PERSON,),
)


def test_what_is_hidden_runs_no_clock_and_what_was_reviewed_says_so() -> None:
    events = {RECEIVED: at("2026-11-20 12:00")}
    assert running(Countries("DE"), events, [replace(LAW, confidence=Confidence.UNSOURCED)]) == []
    assert running(Countries("DE"), events, [replace(LAW, status=Status.NOT_YET)]) == []
    assert running(Countries("DE"), events, [replace(LAW, year=2027)]) == []
    assert running(Countries("DE"), events, [replace(LAW, reviewed=True)])[0].reviewed


def test_a_law_of_the_union_reaches_its_members_and_a_part_of_a_country_nobody() -> None:
    events = {RECEIVED: at("2026-11-20 12:00")}
    union, part = replace(LAW, key="eu-made-up", place="EU"), replace(LAW, key="ca-bc-made-up", place="CA-BC")
    assert [clock.country for clock in running(Countries("FR"), events, [union, part])] == ["EU"]
    assert running(Countries("GB"), events, [union]) == []
    assert running(Countries("CA"), events, [union, part]) == []


DAYS = [
    # Saturday 28 March 2026, 10:00 in Berlin; Sunday has 23 hours and ends at 22:00 UTC.
    ("DE", 1, Unit.DAYS, "2026-03-28 09:00", "2026-03-29 22:00"),
    # Saturday 24 October, 10:00; Sunday has 25 hours and ends at 23:00 UTC.
    ("DE", 1, Unit.DAYS, "2026-10-24 08:00", "2026-10-25 23:00"),
    # 31 December 2026, 23:30 in New York; 1 January ends at 5:00 UTC.
    ("US", 1, Unit.DAYS, "2027-01-01 04:30", "2027-01-02 05:00"),
    # 28 February of a leap year.
    ("GB", 1, Unit.DAYS, "2028-02-28 12:00", "2028-03-01 00:00"),
    # Thursday 24 December; Friday and Monday are holidays, so it is Tuesday 29.
    ("GB", 1, Unit.WORKING_DAYS, "2026-12-24 12:00", "2026-12-30 00:00"),
    # Friday 18 December: Monday, Tuesday, Wednesday 23, which ends at 23:00 UTC.
    ("DE", 3, Unit.WORKING_DAYS, "2026-12-18 12:00", "2026-12-23 23:00"),
    # Thursday 8 January in Israel, where Friday and Saturday are the weekend: Sunday 11, which ends at 22:00 UTC.
    ("IL", 1, Unit.WORKING_DAYS, "2026-01-08 12:00", "2026-01-11 22:00"),
    # Thursday 12 November in Saudi Arabia, likewise: Sunday 15, which ends at 21:00 UTC.
    ("SA", 1, Unit.WORKING_DAYS, "2026-11-12 12:00", "2026-11-15 21:00"),
    # Friday 31 July; Monday 3 August is a holiday in British Columbia and none of all Canada.
    ("CA-BC", 1, Unit.WORKING_DAYS, "2026-07-31 18:00", "2026-08-05 04:00"),
    ("CA", 1, Unit.WORKING_DAYS, "2026-07-31 18:00", "2026-08-04 04:00"),
    # The union has no calendar of its own: Monday 4 May follows Friday 1 May, and ends at 22:00 UTC.
    ("EU", 1, Unit.WORKING_DAYS, "2026-05-01 10:00", "2026-05-04 22:00"),
]


@pytest.mark.parametrize(("place", "amount", "unit", "start", "end"), DAYS)
def test_days_are_days_of_the_law_s_own_place(place: str, amount: int, unit: Unit, start: str, end: str) -> None:
    assert ends_at(at(start), amount, unit, place)[0] == at(end)


def test_what_is_left_out_of_working_days_is_said() -> None:
    assert "public holidays of Germany" in ends_at(at("2026-12-18 12:00"), 3, Unit.WORKING_DAYS, "DE")[1]
    assert "no public holiday" in ends_at(at("2026-12-18 12:00"), 3, Unit.WORKING_DAYS, "EU")[1]
    assert ends_at(at("2026-12-18 12:00"), 3, Unit.DAYS, "DE")[1] == ""


def test_hours_are_elapsed_hours_on_every_day_of_a_year() -> None:
    for day, place in product(range(366), ("US", "AU", "DE", "BR")):
        start = at("2026-01-01 00:30") + timedelta(days=day)
        assert ends_at(start, 48, Unit.HOURS, place)[0] - start == timedelta(hours=48)


def test_a_law_holds_by_the_day_of_its_own_place() -> None:
    law = replace(LAW, in_force_on=date(2026, 7, 1), ended_on=date(2026, 7, 1))
    moments = ["2026-06-30 21:59", "2026-06-30 22:00", "2026-07-01 21:59", "2026-07-01 22:00"]
    assert [holds(law, at(moment)) for moment in moments] == [False, True, True, False]


def test_every_place_where_people_live_has_a_time_zone() -> None:
    lived_in = {a + b for a, b in product(ascii_uppercase, repeat=2) if is_country(a + b)} - UNINHABITED
    assert {place for place in lived_in | {law.place for law in shipped_laws()} if zone_of(place).key == "UTC"} == set()


def test_the_map_shows_a_deadline_from_its_first_day_to_its_last() -> None:
    today = datetime.now(tz=UTC).date()
    law = next(law for law in shipped_laws() if law.key == "us-take-it-down")
    for begins, ends, kind in ((-9, 9, "deadline"), (9, None, "law"), (-9, -5, "law")):
        moved = replace(
            law, year=2000, in_force_on=today + timedelta(begins), ended_on=today + timedelta(ends) if ends else None
        )
        (tile,) = (tile for tile in tiles_of([moved]).tiles if tile.country == "US")
        assert tile.kind == kind
