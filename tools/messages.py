"""The catalogues of the person's pages: extract, merge, check.

    python -m tools.messages            update every catalogue from the sources
    python -m tools.messages --check    say what is out of date, missing or broken, and fail if anything is

The translations are in src/reclaim/locale/<language>/LC_MESSAGES/django.po, which set-up compiles. A catalogue whose
head says «not yet reviewed by a native speaker» is listed so in docs/languages.md.
"""

from __future__ import annotations

import ast
import datetime
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from reclaim.sitekit.languages import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "reclaim"
LOCALE = SOURCES / "locale"
TEMPLATE = LOCALE / "django.pot"
PAGE = ROOT / "docs" / "languages.md"
ROOMS = ("bank", "sitekit")
KEYWORDS = {
    "gettext": None,
    "_": None,
    "ngettext": (1, 2),
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
}
WRITTEN = datetime.datetime(2026, 11, 26, tzinfo=datetime.UTC)
PICTURES = "\n\n".join(f"![{code}](images/languages/{code}.png)" for code in ("ar", "hi", "ja", "fr"))
UNREVIEWED = "not yet reviewed by a native speaker"

_LITERAL = r"u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")"
_CALL = re.compile(rf"\bn?gettext\(({_LITERAL})(?:, ({_LITERAL}))?")
_GAP = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?\w+[^>]*>")

Found = tuple[str, str | tuple[str, ...]]


def _of_template(path: Path) -> Iterator[str | tuple[str, ...]]:
    for match in _CALL.finditer(templatize(path.read_text(encoding="utf-8"))):
        words = tuple(ast.literal_eval(literal) for literal in match.groups() if literal)
        yield words if len(words) > 1 else words[0]


def _of_python(path: Path) -> Iterator[str | tuple[str, ...]]:
    for _, words, _, _ in extract_from_file("python", path, keywords=KEYWORDS):
        yield words


def found() -> Iterator[Found]:
    """Every message of the sources, with the file that it stands in."""
    for room in ROOMS:
        for path in sorted((SOURCES / room).rglob("*")):
            of = {".html": _of_template, ".py": _of_python}.get(path.suffix)
            for words in of(path) if of else ():
                yield path.relative_to(SOURCES).as_posix(), words


def template() -> Catalog:
    """All messages, without translations."""
    made = Catalog(project="Reclaim", charset="utf-8")
    for path, words in found():
        made.add(words, locations=[(path, None)])  # type: ignore[list-item]
    return made


def _locale(code: str) -> str:
    language, _, place = code.partition("-")
    return f"{language}_{place.title() if len(place) > 2 else place.upper()}" if place else language


def file_of(code: str) -> Path:
    """The catalogue of a language."""
    return LOCALE / _locale(code) / "LC_MESSAGES" / "django.po"


def read(code: str) -> Catalog:
    """The catalogue of a language as it is; an empty one where there is none."""
    path = file_of(code)
    if not path.exists():
        made = Catalog(locale=_locale(code), project="Reclaim", charset="utf-8")
        made.header_comment = f"# {LANGUAGES[code]} ({code}). This translation is {UNREVIEWED}."
        return made
    with path.open("rb") as file:
        return read_po(file, locale=_locale(code))


def reviewed(code: str) -> bool:
    """Whether a native speaker has reviewed the catalogue."""
    return UNREVIEWED not in read(code).header_comment


def _write(catalogue: Catalog, path: Path) -> None:
    # Nothing that changes by itself: a catalogue differs only where its words do.
    catalogue.creation_date = catalogue.revision_date = WRITTEN
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = "Reclaim"
    catalogue.version = "1"
    catalogue.fuzzy = False
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=120, sort_output=False, ignore_obsolete=True, include_lineno=False)


def update() -> None:
    """Bring every catalogue up to the sources; what is new in it is empty, and what is gone is gone."""
    messages = template()
    _write(messages, TEMPLATE)
    for code in LANGUAGES:
        if code == "en":
            continue
        catalogue = read(code)
        head = catalogue.header_comment
        catalogue.update(messages, no_fuzzy_matching=True)
        catalogue.header_comment = head
        _write(catalogue, file_of(code))
    PAGE.write_text(page(), encoding="utf-8")


def _texts(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or [""])


def faults_of(code: str, messages: Catalog) -> Iterator[str]:
    """What is wrong with one catalogue, in sentences."""
    catalogue = read(code)
    for message in messages:
        if not message.id:
            continue
        originals = [message.id] if isinstance(message.id, str) else list(message.id)
        mine = catalogue.get(originals[0])
        texts = _texts(mine) if mine is not None else [""]
        if not all(texts):
            yield f"{code}: «{originals[0][:60]}» has no translation."
            continue
        if len(originals) > 1 and len(texts) != catalogue.num_plurals:
            yield f"{code}: «{originals[0][:60]}» needs {catalogue.num_plurals} forms."
        # Of a plural's forms, one for a single thing may leave the number out.
        wanted = sorted(_GAP.findall(originals[-1]))
        for place, text in enumerate(texts):
            gaps = sorted(_GAP.findall(text))
            may_leave_out = len(originals) > 1 and place < len(texts) - 1
            if gaps != wanted and not (may_leave_out and set(gaps) <= set(wanted)):
                yield f"{code}: «{originals[0][:60]}» has other gaps or tags than the original: {gaps}, not {wanted}."
    for message in catalogue:
        if message.id and message.fuzzy:
            yield f"{code}: «{str(message.id)[:60]}» is marked as a guess."


def page() -> str:
    """docs/languages.md."""
    rows = "\n".join(
        f"| `{code}` | {name} | "
        + ("the original" if code == "en" else "reviewed" if reviewed(code) else f"complete, {UNREVIEWED}")
        + " |"
        for code, name in LANGUAGES.items()
    )
    return f"""# Languages

The person's pages speak these. `/ar/` before an address gives it in Arabic; without one the browser's own wish counts.

| code | language | state |
| --- | --- | --- |
{rows}

{PICTURES}

`python -m tools.screenshots` takes these again.

To mend a translation, edit `src/reclaim/locale/<language>/LC_MESSAGES/django.po` and open a change. If you are a native
speaker and have read all of it, take the words «{UNREVIEWED}» out of its first line. After the English changed,
`python -m tools.messages` brings the new sentences into every catalogue, and `make check` names what is missing.
"""


def faults() -> Iterator[str]:
    """Everything that is wrong, in sentences."""
    messages = template()
    written = (
        {str(message.id) for message in read_po(TEMPLATE.open("rb")) if message.id} if TEMPLATE.exists() else set()
    )
    if written != {str(message.id) for message in messages if message.id}:
        yield "The catalogues are older than the sources: run «python -m tools.messages»."
    for code in LANGUAGES:
        if code != "en":
            yield from faults_of(code, messages)
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        yield "docs/languages.md is older than the catalogues: run «python -m tools.messages»."


def main() -> int:
    """Update, or check; 1 if the check found something."""
    if "--check" not in sys.argv:
        update()
        return 0
    wrong = list(faults())
    for fault in wrong[:60]:
        print(fault)
    print(f"Catalogues: {len(LANGUAGES) - 1} languages, {len(list(template()))} messages, {len(wrong)} faults.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
