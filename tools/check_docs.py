"""Hold the documents to the code: what is not documented, or documented and gone, fails.

Checks commands and their examples, exit codes, RECLAIM_* variables, links between documents, and that every promise
names tests that are there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from reclaim.cli import main as reclaim
from reclaim.cli.exits import Exit

ROOT = Path(__file__).resolve().parent.parent
DOCS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "conformance").rglob("*.md")]


def commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below a group, by its full name."""
    context = click.Context(group)
    for child in group.list_commands(context):
        command = group.get_command(context, child)
        assert command is not None
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield f"{name} {child}", command
            yield from commands(command, f"{name} {child}")
        else:
            yield f"{name} {child}", command


def faults() -> Iterator[str]:
    """One sentence for each thing that does not hold."""
    page = (ROOT / "docs/commands.md").read_text()
    known = dict(commands(reclaim, "reclaim"))
    for name, command in known.items():
        if f"`{name}" not in page:
            yield f"docs/commands.md does not name «{name}»."
        if "Example" not in (command.help or ""):
            yield f"«{name} --help» has no example."
    for named in re.findall(r"^\| `(reclaim(?: [a-z]+(?:-[a-z]+)*)+)", page, re.MULTILINE):
        if named not in known:
            yield f"docs/commands.md names «{named}», which is no command."
    rows = {(int(code), name) for code, name in re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", page, re.MULTILINE)}
    if rows != {(code.value, code.name) for code in Exit}:
        yield "The exit codes of docs/commands.md are not those of reclaim.cli.exits."

    sources = "\n".join(file.read_text() for file in (ROOT / "src").rglob("*.py"))
    pages = "\n".join(file.read_text() for file in DOCS)
    for variable in sorted(set(re.findall(r"\b(?:RECLAIM|TX_RECLAIM)_[A-Z_]+[A-Z]\b", sources))):
        if f"`{variable}`" not in pages:
            yield f"No document names the variable {variable}."

    for file in DOCS:
        for link in re.findall(r"\]\(([^)#\s]+)", file.read_text()):
            if "://" not in link and not (file.parent / link).exists():
                yield f"{file.relative_to(ROOT)} links to {link}, which is not there."

    promises = (ROOT / "docs/promises.md").read_text()
    for number in range(1, 13):
        section = re.search(rf"^{number}\. (.*?)(?=^\d+\. |\Z)", promises, re.MULTILINE | re.DOTALL)
        tests = re.findall(r"`(tests/[\w/]+\.py)`", section[1]) if section else []
        if not tests:
            yield f"docs/promises.md names no test for promise {number}."
        for test in tests:
            if not (ROOT / test).exists():
                yield f"docs/promises.md names {test}, which is not there."


def main() -> int:
    """Print what does not hold; 1 if anything."""
    found = list(faults())
    for fault in found:
        print(fault)
    print(f"Documents: {len(DOCS)} checked, {len(found)} faults.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
