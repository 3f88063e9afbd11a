"""`reclaim hash`: fingerprint files on this machine. Reads them, writes nothing, sends nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from reclaim.cli.exits import exit_for
from reclaim.cli.options import printable
from reclaim.signals import (
    Signal,
    SignalError,
    frames_text,
    md5_signal,
    pdq_signal,
    signals_of,
)

if TYPE_CHECKING:
    from reclaim.signals.video import VideoSignals

    Answer = Signal | VideoSignals | SignalError

POOR_NOTE = "poor signal: too little detail to tell this picture from others"
PLAIN_NOTE = "no frame of this video has enough detail: only its MD5 can be used"

_WORK = {"pdq": pdq_signal, "md5": md5_signal}


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=Path))
@click.option("--type", "kind", type=click.Choice(["pdq", "md5", "video"]), default="pdq", help="The signal to make.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes at once; by default one a processor.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(files: tuple[Path, ...], kind: str, jobs: int | None, as_json: bool) -> None:
    """Fingerprint pictures and videos on this machine; nothing leaves it.

    A folder stands for the files in it. Answers come in the order of the files: value, quality, file. A file
    that cannot be read gets an error of its own while the rest goes on.

    A video (MP4, MOV, WebM, MKV) gives an MD5 and a PDQ of a frame a second, as many lines as frames.

    \b
    Examples:
      reclaim hash holiday.jpg
      reclaim hash --json pictures/ > signals.jsonl
      reclaim hash --type video --json film.mp4

    \b
    Exit status: 0 all went well; 10 not a picture, 11 empty, 12 cut short or damaged, 13 too large,
    15 not found or not readable, 16 not a video, 17 packed in a way that is not read, 18 encrypted, where that was
    the only kind of error; otherwise 1.
    """
    paths = _expand(files)
    failures: list[SignalError] = []
    with _progress(len(paths)) as progress:
        task = progress.add_task("Fingerprinting", total=len(paths))
        for path, answer in zip(paths, _answers(paths, kind, jobs), strict=True):
            if isinstance(answer, SignalError):
                failures.append(answer)
            _report(path, answer, as_json)
            progress.advance(task)
    if failures:
        sys.exit(exit_for(failures))


def _expand(files: tuple[Path, ...]) -> list[Path]:
    """The files to read, a folder replaced by the visible files directly in it, in order of name."""
    paths: list[Path] = []
    for file in files:
        try:
            inside = sorted(entry for entry in file.iterdir() if entry.is_file() and entry.name[0] != ".")
        except (OSError, ValueError):
            paths.append(file)  # a file, or nothing that can be read: the reader says which
        else:
            paths.extend(inside or [file])
    return paths


def _answers(paths: list[Path], kind: str, jobs: int | None) -> Iterator[Answer]:
    """One picture is read here, being done before a process has started; several, and videos, in other processes."""
    if kind == "video":
        from reclaim.signals.video import videos_of

        yield from videos_of(paths, jobs=jobs)
        return
    work = _WORK[kind]
    if len(paths) > 1:
        yield from signals_of(paths, work, jobs=jobs)
        return
    try:
        yield work(paths[0])
    except SignalError as error:
        yield error


def _progress(count: int) -> Progress:
    """A bar on a terminal's standard error, for more than one file; otherwise silent."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=count < 2 or not console.is_terminal,
    )


def _report(path: Path, answer: Answer, as_json: bool) -> None:
    fields, lines, note = _told(answer)
    if as_json:
        click.echo(json.dumps({"file": str(path), **fields, **({"note": note} if note else {})}))
        return
    name = printable(path)
    if isinstance(answer, SignalError):
        click.echo(f"{name}: {answer}", err=True)
        return
    for line in lines:
        click.echo(f"{line}  {name}")
    if note:
        click.echo(f"{name}: {note}", err=True)


def _told(answer: Answer) -> tuple[dict[str, object], list[str], str]:
    """An answer as JSON fields and as lines, and what has to be said about it."""
    if isinstance(answer, SignalError):
        return {"error": str(answer)}, [], ""
    if isinstance(answer, Signal):
        line = answer.value if answer.quality is None else f"{answer.value}  {answer.quality:3}"
        fields: dict[str, object] = {"type": answer.type, "value": answer.value, "quality": answer.quality}
        return fields, [line], POOR_NOTE if answer.poor else ""
    frames = frames_text(answer.frames)
    return {"type": "vpdq", "frames": frames, "md5": answer.md5}, [answer.md5, *frames], "" if frames else PLAIN_NOTE
