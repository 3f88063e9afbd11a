"""NCMEC's messages, as other servers write them."""

from __future__ import annotations

import pytest

from reclaim.protocol.ncmec_v2 import (
    EntriesPage,
    EntriesQuery,
    Entry,
    Fingerprint,
    Kind,
    Member,
    Vote,
    entries_message,
    read_entries,
    read_member,
    read_reasons,
    read_time,
    write_time,
)
from reclaim.protocol.xml import MOST_DEPTH, UnsafeXmlError, parse_xml

# After the sample of the public documentation: namespaces, types that we do not know, entries that say little.
SAMPLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2">
  <images count="4" maxTimestamp="2017-10-24T15:10:00Z">
    <image>
      <member id="42">Example Member</member>
      <timestamp>2017-10-24T15:00:00Z</timestamp>
      <id>image1</id>
      <classification>A1</classification>
      <fingerprints>
        <md5>a378b9200e3a2c4c1b5d6e7f8a9b0c1d</md5>
        <pdna>blablabla</pdna>
        <pdq>%s</pdq>
      </fingerprints>
    </image>
    <image><member id="43">Other</member><id>image2</id><fingerprints><md5></md5></fingerprints></image>
    <image><id>of nobody</id></image>
    <deletedImage><member id="43">Other</member><timestamp>2017-10-24T15:10:00Z</timestamp><id>image4</id>
    </deletedImage>
  </images>
  <videos count="1" maxTimestamp="2017-10-24T15:20:00Z">
    <video><member id="42">Example Member</member><id>video1</id><fingerprints>
      <md5>b378b9200e3a2c4c1b5d6e7f8a9b0c1d</md5></fingerprints></video>
  </videos>
  <paging><next>/v2/entries?from=2017-10-20T00%%3A00%%3A00Z&amp;to=2017-10-30T00%%3A00%%3A00Z&amp;start=2001&amp;size=1000&amp;max=4001</next></paging>
</queryResult>""" % (b"0f" * 32)


def test_the_documented_sample_is_read_and_what_cannot_be_read_is_counted() -> None:
    page = read_entries(SAMPLE)
    assert [(entry.member.id, entry.id, entry.kind, entry.deleted) for entry in page.entries] == [
        (42, "image1", Kind.IMAGE, False),
        (43, "image2", Kind.IMAGE, False),
        (43, "image4", Kind.IMAGE, True),
        (42, "video1", Kind.VIDEO, False),
    ]
    assert page.entries[0].fingerprints == {
        Fingerprint.MD5: "a378b9200e3a2c4c1b5d6e7f8a9b0c1d",
        Fingerprint.PDQ: "0f" * 32,
    }
    assert page.entries[1].fingerprints == page.entries[2].fingerprints == {}
    assert page.unread == 1
    assert page.next.startswith("/v2/entries?from=2017-10-20")


def test_what_is_written_is_read_again() -> None:
    member = Member(7, "<Bank> & «others»")
    entry = Entry(
        "a",
        member,
        Kind.IMAGE,
        1_700_000_000,
        classification="NCII",
        fingerprints={Fingerprint.PDQ: "0f" * 32},
        votes=[Vote(member, Fingerprint.PDQ), Vote(member, Fingerprint.PDQ, "other")],
    )
    gone = Entry("b", member, Kind.VIDEO, 1_700_000_001, deleted=True)
    following = EntriesQuery(0, 1_700_000_100).path(5, 9)
    read = read_entries(entries_message(EntriesPage([entry, gone], following)))
    assert read.next == following
    assert [(each.id, each.member, each.changed_at, each.deleted) for each in read.entries] == [
        ("a", member, 1_700_000_000, False),
        ("b", member, 1_700_000_001, True),
    ]
    assert read.entries[0].fingerprints == entry.fingerprints


@pytest.mark.parametrize(
    "following",
    [
        "https://elsewhere.example/v2/entries?start=1",
        "//elsewhere.example/v2/entries?x=1",
        "/v1/other?x=1",
        "/v2/entries",
    ],
)
def test_a_next_page_that_leads_elsewhere_is_not_followed(following: str) -> None:
    with pytest.raises(ValueError, match="next page"):
        read_entries(f"<queryResult><paging><next>{following}</next></paging></queryResult>".encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<a>",
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://elsewhere.example/a.dtd"><a/>',
        b"<a>" * (MOST_DEPTH + 1) + b"</a>" * (MOST_DEPTH + 1),
        b"<a " + b" ".join(b'b%d=""' % number for number in range(30)) + b"/>",
    ],
)
def test_unsafe_xml_is_refused_without_a_word_of_it(body: bytes) -> None:
    with pytest.raises(UnsafeXmlError) as refused:
        parse_xml(body)
    assert "elsewhere" not in str(refused.value)
    for read in (read_entries, read_member):
        with pytest.raises(ValueError, match="XML"):
            read(body)


def test_a_status_without_a_member_is_none_and_reasons_are_bounded() -> None:
    with pytest.raises(ValueError, match="status"):
        read_member(b"<status/>")
    many = b"".join(b'<reason guid="%d" name="x"/>' % number for number in range(500))
    found = read_reasons(b"<r><availableFeedbackReasons>" + many + b"</availableFeedbackReasons></r>")
    assert len(found) == 100


def test_times_go_both_ways_and_others_are_refused() -> None:
    assert read_time(write_time(1_700_000_000)) == 1_700_000_000
    assert read_time("2023-11-14T22:13:20.123Z") == 1_700_000_000
    for text in ("", "1700000000", "2023-13-14T22:13:20Z", "2023-11-14 22:13:20", "2023-11-14T22:13:20+01:00"):
        with pytest.raises(ValueError, match="time"):
            read_time(text)
