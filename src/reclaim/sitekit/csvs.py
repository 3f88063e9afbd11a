"""CSV that may come from anybody and may be opened in any spreadsheet: one reader, one writer.

What is written opens as text: a field that a spreadsheet would take for a formula gets an apostrophe before it
(https://owasp.org/www-community/attacks/CSV_Injection), and reading takes that apostrophe away again, so that what was
exported comes back unchanged. What is read is bounded in size, rows, columns and fields, and refused in sentences that
name the row as a spreadsheet counts it: the line of names is row 1.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

MOST_BYTES = 1024 * 1024
MOST_ROWS = 10_000
MOST_COLUMNS = 64
LONGEST_FIELD = 4_000
"""Characters."""
_LONGEST_LINE = 100_000
"""Characters between two line ends. The module of the standard library refuses fields from 131,072 on."""
_MOST_FAULTS = 50

_SEPARATORS = ",;\t"
"""What programs call CSV differs by country."""
# Full-width forms too: some spreadsheets read them as the narrow ones.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class CsvError(ValueError):
    """A file that cannot be read at all; the message is a sentence that says what to do."""


@dataclass(frozen=True)
class Fault:
    """Why one row was refused."""

    row: int
    sentence: str

    def __str__(self) -> str:
        return f"Row {self.row}: {self.sentence}"


@dataclass(frozen=True)
class Row:
    """One row of a table: its number as a spreadsheet counts it, and its fields by column, without space around."""

    number: int
    fields: Mapping[str, str]


@dataclass
class Table:
    """What was read. Rows that could not be are in ``faults`` instead, the first fifty of them."""

    columns: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def write(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """A CSV file in UTF-8 with a byte order mark, by which spreadsheets know the encoding; every field is quoted."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([_guarded(column) for column in columns])
    writer.writerows([_guarded(str(row[column])) for column in columns] for row in rows)
    return codecs.BOM_UTF8 + out.getvalue().encode()


def read(
    data: bytes, columns: Collection[str], required: Collection[str] = (), *, most_bytes: int = MOST_BYTES
) -> Table:
    """The rows of a CSV file whose first row names columns among ``columns``, with all of ``required``.

    Fields are separated by commas, semicolons or tabs. Empty rows are left out. Raises ``CsvError`` for a file that is
    too large, not UTF-8, or whose first row does not fit.
    """
    records = _records(_text(data, most_bytes))
    try:
        _, names = next(records)
        header = _header(names, columns, required)
        table = Table(header)
        for number, values in records:
            if not any(value.strip() for value in values):
                continue
            if len(table.rows) >= MOST_ROWS:
                raise CsvError(f"This file has more than {MOST_ROWS:,} rows. Send it in parts.")
            if fault := _fault(values, header):
                table.faults.append(Fault(number, fault))
                if len(table.faults) >= _MOST_FAULTS:
                    break
                continue
            table.rows.append(Row(number, {c: _bare(v).strip() for c, v in zip(header, values, strict=True)}))
    except StopIteration:
        raise CsvError("This file is empty. Its first row must name the columns.") from None
    except csv.Error:
        raise CsvError("A field of this file never ends. Look for a quotation mark without its pair.") from None
    return table


def _guarded(text: str) -> str:
    # What begins with apostrophes and then as a formula gets one more, so that exactly one can be taken away again.
    return f"'{text}" if _FORMULA.match(text) else text


def _bare(text: str) -> str:
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _text(data: bytes, most_bytes: int) -> str:
    if len(data) > most_bytes:
        raise CsvError(f"This file is larger than {most_bytes // 1024:,} KiB. Send it in parts.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CsvError("This file is not in UTF-8. Save it anew as «CSV UTF-8» and send that.") from None


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    separator = max(_SEPARATORS, key=text.partition("\n")[0].count)
    # Not strict: a quotation mark inside a field is what people write.
    reader = csv.reader(_lines(text), delimiter=separator)
    yield from enumerate(reader, start=1)


def _lines(text: str) -> Iterator[str]:
    for line in io.StringIO(text, newline=""):
        # Before it is split: ten million separators must not become ten million fields.
        if len(line) > _LONGEST_LINE:
            raise CsvError(f"A line of this file has more than {_LONGEST_LINE:,} characters. Is it a CSV file?")
        yield line


def _header(names: Sequence[str], columns: Collection[str], required: Collection[str]) -> tuple[str, ...]:
    if len(names) > MOST_COLUMNS:
        raise CsvError(f"This file has more than {MOST_COLUMNS} columns. Keep only those that are needed.")
    header = tuple(_bare(name).strip().lower() for name in names)
    known = ", ".join(columns)
    for name in header:
        if name not in columns:
            shown = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", name)[:40]
            raise CsvError(f"The first row names a column «{shown}» that is not known. Known are: {known}.")
        if header.count(name) > 1:
            raise CsvError(f"The first row names the column «{name}» more than once. Keep one of them.")
    for name in required:
        if name not in header:
            raise CsvError(f"The column «{name}» is missing. Name it in the first row.")
    return header


def _fault(values: Sequence[str], header: Sequence[str]) -> str | None:
    if len(values) != len(header):
        return f"it has {len(values):,} fields, and the first row names {len(header)} columns."
    for column, value in zip(header, values, strict=True):
        if len(value) > LONGEST_FIELD:
            return f"«{column}» has more than {LONGEST_FIELD:,} characters."
        if _CONTROL.search(value):
            return f"«{column}» holds a character that is no text. Write it anew by hand."
    return None
