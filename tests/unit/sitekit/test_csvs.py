"""CSV that may come from anybody and may be opened in any spreadsheet."""

from __future__ import annotations

import time

import pytest

from reclaim.sitekit.csvs import LONGEST_FIELD, MOST_BYTES, MOST_COLUMNS, MOST_ROWS, CsvError, Row, read, write

NAMES = ("name", "phone")
AWKWARD = [
    "=HYPERLINK(0)",
    "+44 20 7946 0000",
    "-1",
    "@sum",
    "\tx",
    "\rx",
    "'=already",
    "''+twice",
    "＝full",
    "'s plain",
    "O'Neill",
    'say "hi", then; go',
    "two\nlines",
    "",
    "فارسی 한국어 💚",
]


def test_what_a_spreadsheet_would_take_for_a_formula_is_written_as_text() -> None:
    for formula in AWKWARD[:8]:
        # In quotation marks, and after the apostrophe.
        assert f'"\'{formula}"'.encode() in write(["name"], [{"name": formula}])
    assert b'"O\'Neill"' in write(["name"], [{"name": "O'Neill"}])


def test_what_was_exported_comes_back_as_it_was() -> None:
    rows = [{"name": each, "phone": "x"} for each in AWKWARD]
    found = read(write(NAMES, rows), NAMES).rows
    # Space around a field is no part of it.
    assert [dict(row.fields) for row in found] == [{"name": each.strip(), "phone": "x"} for each in AWKWARD]
    assert [row.number for row in found] == list(range(2, len(AWKWARD) + 2))
    # Nor does a second round change anything.
    assert write(NAMES, [row.fields for row in found]) == write(NAMES, [row.fields for row in found])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_every_dialect_of_utf_8_is_read(separator: str, mark: bytes) -> None:
    data = mark + f"Name{separator}PHONE\r\n\r\nÉva{separator}'+36 1\r\n{separator}\r\nBob{separator}2".encode()
    assert read(data, NAMES, NAMES).rows == [
        Row(3, {"name": "Éva", "phone": "+36 1"}),
        Row(5, {"name": "Bob", "phone": "2"}),
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        ("name\né".encode("latin-1"), "not in UTF-8"),
        ("name\nx".encode("utf-16"), "not in UTF-8"),
        (b"name,colour", "a column «colour» that is not known"),
        (b"name,\x00\x1b[31m", "not known"),
        (b"name,name", "more than once"),
        (b"phone\n1", "The column «name» is missing"),
        (b'name\n"never ends' + b"\nx" * 70_000, "never ends"),
        (b"name\n" + b"x" * MOST_BYTES, "larger than 1,024 KiB"),
        (b"name\n" + b"x\n" * (MOST_ROWS + 1), "more than 10,000 rows"),
        (b"," * (MOST_COLUMNS + 1), "more than 64 columns"),
        (b"," * 1_000_000, "more than 100,000 characters"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(CsvError, match=said) as caught:
        read(data, NAMES, ["name"])
    assert str(caught.value).isprintable()


def test_a_row_that_cannot_be_read_is_named_and_the_others_are_read() -> None:
    long = "x" * (LONGEST_FIELD + 1)
    table = read(f"name,phone\na,1\nb\nc,1,2\nd,\x00\n{long},1\ne,1".encode(), NAMES)
    assert [row.fields["name"] for row in table.rows] == ["a", "e"]
    assert [str(fault) for fault in table.faults] == [
        "Row 3: it has 1 fields, and the first row names 2 columns.",
        "Row 4: it has 3 fields, and the first row names 2 columns.",
        "Row 5: «phone» holds a character that is no text. Write it anew by hand.",
        "Row 6: «name» has more than 4,000 characters.",
    ]


def test_ten_million_columns_cost_next_to_nothing() -> None:
    started = time.perf_counter()
    for data in (b"," * 10_000_000, b"name\n" + b"," * 10_000_000):
        with pytest.raises(CsvError, match="100,000 characters"):
            read(data, NAMES, most_bytes=20_000_000)
    assert time.perf_counter() - started < 2
