"""``reclaim compare``: is what a bank gives to browsers what stands in this checkout?"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import click
from rich.console import Console
from rich.table import Table

import reclaim
from reclaim.cli.exits import Exit
from reclaim.cli.options import fail
from reclaim.cli.page_check import PageCheck
from reclaim.cli.visit import NoAnswerError, Visitor, checked_origin
from reclaim.sitekit.headers import CONTENT_SECURITY_POLICY
from reclaim.sitekit.served import digest_of, manifest, served_files

STATIC = "/static/"
WORKER = "start/files/keep.js"
LIST = "/files.json"
FIRST_PAGES = ("/", "/start/files/")
"""Where looking begins: these must be there, and links lead to the rest."""
LARGEST_PAGE = 1024 * 1024
LARGEST_LIST = 1024 * 1024
MOST_PAGES = 2000
AT_ONCE = 8
# Leaving ends a visit, and «go» leads to other services: neither is a page.
_NO_PAGE = re.compile(r"^(?:/[a-z]{2,3}(?:-[a-z]+)?)?/(?:leave|go)/")


@dataclass
class Compared:
    """What was looked at, and ``differences``: (where, what) in words."""

    files: int = 0
    pages: int = 0
    version: str = ""
    differences: list[tuple[str, str]] = field(default_factory=list)


def _published(visitor: Visitor, found: Compared) -> dict[str, str]:
    """The digests that the bank publishes, by path; a list that cannot be read is a difference."""
    answer = visitor.get(LIST, LARGEST_LIST)
    try:
        told = json.loads(answer.body)
        found.version = str(told["version"])[:40]
        return {str(path): str(file["digest"]) for path, file in told["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found.differences.append((LIST, "The bank publishes no list of its files here that can be read."))
        return {}


def _file_differences(visitor: Visitor, published: dict[str, str]) -> Iterator[tuple[str, str]]:
    ours = served_files()

    def differs(at: tuple[str, str]) -> tuple[str, str] | None:
        address, path = at
        answer = visitor.get(address, ours[path].length)
        if answer.status != 200:
            return address, f"It is not served (status {answer.status})."
        if not answer.whole or digest_of(answer.body) != ours[path].digest:
            return address, "Its bytes are not those of this checkout."
        return None

    addresses = [(STATIC + path, path) for path in ours] + [(f"/{WORKER}", "keep.js")]
    with ThreadPoolExecutor(AT_ONCE) as hands:
        differing = dict(filter(None, hands.map(differs, addresses)))
    yield from differing.items()
    for path in sorted(published.keys() - ours.keys()):
        yield STATIC + _shown(path), "It is in the bank's list, and not in this checkout."
    for path in ours:
        if published and STATIC + path not in differing and published.get(path) != ours[path].digest:
            yield LIST, f"It does not say of {path} what is served."


def _page_differences(visitor: Visitor, origin: str, address: str) -> tuple[list[str], set[str]]:
    """What is wrong with one page, in sentences, and the pages that it leads to. Only HTML is a page."""
    answer = visitor.get(address, LARGEST_PAGE)
    if answer.status >= 400 or (address in FIRST_PAGES and answer.status != 200):
        return [f"It is not served (status {answer.status})."], set()
    if answer.status != 200 or not answer.content_type.startswith("text/html"):
        return [], set()
    if not answer.whole:
        return [f"It is longer than {LARGEST_PAGE // 1024} KiB and was not looked at."], set()
    page = PageCheck(answer.body.decode("utf-8", "replace"))
    faults = list(page.faults)
    if answer.policy != CONTENT_SECURITY_POLICY:
        faults.append("Its content security policy is not that of this checkout.")
    known = {STATIC + path for path in served_files()}
    for loaded in page.loads:
        there = urljoin(origin + address, loaded)
        if not there.startswith(f"{origin}/") or there.removeprefix(origin) not in known:
            faults.append(f"It loads «{_shown(loaded)}», which is no file of this checkout.")
    for sent in page.sends:
        if not urljoin(origin + address, sent).startswith(f"{origin}/"):
            faults.append(f"It has a form that is sent to «{_shown(sent)}».")
    next_pages = set()
    for link in page.leads_to:
        parts = urlsplit(urljoin(origin + address, link))
        if parts.scheme.lower() in ("javascript", "data", "vbscript", "blob"):
            faults.append("It has a link that is a script.")
        elif f"{parts.scheme}://{parts.netloc}" == origin and not parts.query and not _NO_PAGE.match(parts.path):
            next_pages.add(parts.path or "/")
    return list(dict.fromkeys(faults)), next_pages


def _shown(text: str) -> str:
    """Somebody else's text, safe to show in a terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text[:120])


def _look_at_pages(visitor: Visitor, origin: str, found: Compared) -> None:
    wave = list(FIRST_PAGES)
    seen = set(wave)
    with ThreadPoolExecutor(AT_ONCE) as hands:
        while wave:
            looked = hands.map(lambda address: (address, *_page_differences(visitor, origin, address)), wave)
            nexts: set[str] = set()
            for address, faults, leads_to in looked:
                found.pages += 1
                found.differences += [(_shown(address), fault) for fault in faults]
                nexts |= leads_to
            wave = sorted(nexts - seen)
            if len(seen) + len(wave) > MOST_PAGES:
                found.differences.append((origin, f"It has more than {MOST_PAGES} pages; the rest was not looked at."))
                return
            seen.update(wave)


def compare(origin: str) -> Compared:
    """Compare every file, and every page that links lead to, with this checkout. Raises ``NoAnswerError``."""
    visitor = Visitor(origin)
    found = Compared(files=len(served_files()))
    found.differences += _file_differences(visitor, _published(visitor, found))
    _look_at_pages(visitor, origin, found)
    return found


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("address", metavar="URL")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(address: str, as_json: bool) -> None:
    """Compare what the bank at URL gives to browsers with this checkout.

    Every file must be the same, byte for byte. The text of pages differs from bank to bank; of them this checks that
    they load nothing but those files, hold no script of their own, and carry the same content security policy. It
    looks at what the bank gives to this machine now: docs/proof.md says what that shows, and what not.

    \b
    Exit codes: 0 no difference; 2 not an address; 32 the bank did not answer; 40 something differs.

    \b
    Example:
      reclaim compare https://bank.example
    """
    try:
        origin = checked_origin(address)
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    try:
        found = compare(origin)
    except NoAnswerError as error:
        fail(Exit.BANK_UNREACHABLE, f"The bank cannot be compared. {error}")
    if as_json:
        click.echo(json.dumps(_as_object(origin, found)))
    else:
        _show(origin, found)
    if found.differences:
        sys.exit(Exit.DIFFERS)


def _as_object(origin: str, found: Compared) -> dict[str, Any]:
    return {
        "bank": origin,
        "same": not found.differences,
        "files": found.files,
        "pages": found.pages,
        "bank_version": found.version,
        "version": manifest()["version"],
        "differences": [{"where": where, "what": what} for where, what in found.differences],
    }


def _show(origin: str, found: Compared) -> None:
    console = Console()
    if found.differences:
        table = Table(title=f"What differs at {_shown(origin)}")
        table.add_column("where")
        table.add_column("what")
        for where, what in found.differences:
            table.add_row(where, what)
        console.print(table, markup=False)
    else:
        console.print("Nothing differs.", markup=False)
    console.print(
        f"{found.files} files and {found.pages} addresses of pages were compared with version {reclaim.__version__}.",
        markup=False,
    )
    if found.version and found.version != reclaim.__version__:
        console.print(
            f"The bank says that it runs version {_shown(found.version)}. Compare it with a checkout of that version.",
            markup=False,
        )
