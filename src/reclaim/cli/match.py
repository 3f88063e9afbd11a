"""``reclaim match``: match pictures, videos and signals against a folder of indexes, here or as a service."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reclaim.cli.exits import Exit, exit_for
from reclaim.cli.options import fail, printable

if TYPE_CHECKING:
    from reclaim.matching import Decision, Policy
    from reclaim.matching.folder import IndexFolder
    from reclaim.matching.service.checks import BankForChecks
    from reclaim.matching.videos import VideoDecision
    from reclaim.signals import SignalError
    from reclaim.signals.video_views import FramesView

Command = TypeVar("Command", bound=Callable[..., Any])
Answer = TypeVar("Answer", "Decision", "VideoDecision")


def _index_option(command: Command) -> Command:
    return click.option(
        "--index",
        "folder",
        metavar="FOLDER",
        required=True,
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Holds pdq.index, md5.index, video.index or some of them; a platform keeps them in DATA/index.",
    )(command)


def _policy_options(command: Command) -> Command:
    for option in (
        click.option(
            "--hold-distance",
            type=click.IntRange(-1, 31),
            default=31,
            show_default=True,
            help="Hold up to this many bits what looks the same as it lies; -1 never holds for a distance.",
        ),
        click.option(
            "--review-distance",
            type=click.IntRange(0, 60),
            default=31,
            show_default=True,
            help="Review up to this many bits, and search no further.",
        ),
        click.option(
            "--views/--no-views", default=True, show_default=True, help="Look at parts of a picture too, and untilted."
        ),
    ):
        command = option(command)
    return command


def _policy(hold_distance: int, review_distance: int, **more: Any) -> Policy:
    from pydantic import ValidationError

    from reclaim.matching import Policy

    try:
        return Policy(hold_distance=hold_distance, review_distance=review_distance, **more)
    except ValidationError:
        fail(Exit.USAGE, "--hold-distance must not exceed --review-distance, which is as far as the search goes.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Match pictures and videos against a folder of indexes, here or as a service over HTTP.

    \b
    Example:
      reclaim match picture upload.jpg --index platform-data/index
    """


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@_index_option
@_policy_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def picture(
    files: Sequence[Path], folder: Path, hold_distance: int, review_distance: int, views: bool, as_json: bool
) -> None:
    """Match each FILE and say what to do. Nothing is kept, sent or changed.

    A file that cannot be read gets an error of its own while the rest goes on.

    \b
    Exit codes: 0 all files were read, matched or not; 10 not a picture, 11 empty, 12 cut short or damaged,
    13 too large, 15 not found or not readable, where that was the only kind of error; otherwise 1.

    \b
    Example:
      reclaim match picture one.jpg two.png --index platform-data/index --json
    """
    policy = _policy(hold_distance, review_distance, views=views)
    from reclaim.matching.decisions import decide_on_signals
    from reclaim.signals import SignalError, md5_of
    from reclaim.signals.sources import read_bytes
    from reclaim.signals.views import views_crew

    def decide(file: Path) -> Decision | SignalError:
        try:
            data = read_bytes(file)
            return decide_on_signals(md5_of(data), crew.ask(data, 120.0), shelf.indexes, policy)
        except SignalError as error:
            return error

    with _shelf(folder) as shelf:
        crew = views_crew(1)
        try:
            _tell_all(files, map(decide, files), _in_words, as_json)
        finally:
            crew.end()


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@_index_option
@click.option(
    "--hold-percent",
    default=50.0,
    show_default=True,
    type=click.FloatRange(0, 100),
    help="Hold where so much of the upload is in the known video, or the other way round.",
)
@click.option(
    "--review-percent",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0, 100),
    help="Review from so much on, either way.",
)
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes at once; by default one a processor.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def video(
    files: Sequence[Path], folder: Path, hold_percent: float, review_percent: float, jobs: int | None, as_json: bool
) -> None:
    """Match each video and say how much of it is known, how much of what is known it holds, and what to do.

    Nothing is kept, sent or changed. A file that cannot be read gets an error of its own while the rest goes on.

    \b
    Exit codes: 0 all files were read, matched or not; 11 empty, 12 cut short or damaged, 13 too large,
    15 not found or not readable, 16 not a video, 17 packed in a way that is not read, 18 encrypted, where that was
    the only kind of error; otherwise 1.

    \b
    Example:
      reclaim match video film.mp4 --index platform-data/index --json
    """
    from pydantic import ValidationError

    from reclaim.matching import Policy
    from reclaim.matching.videos import decide_on_video
    from reclaim.signals import SignalError, md5_of
    from reclaim.signals.video_views import viewed_videos_of

    try:
        policy = Policy(hold_percent=hold_percent, review_percent=review_percent)
    except ValidationError:
        fail(Exit.USAGE, "--review-percent must not exceed --hold-percent.")

    def decide(file: Path, views: tuple[FramesView, ...] | SignalError) -> VideoDecision | SignalError:
        try:
            return decide_on_video(md5_of(file), views, shelf.indexes, policy)
        except SignalError as error:
            return error

    with _shelf(folder) as shelf:
        _tell_all(files, map(decide, files, viewed_videos_of(files, jobs=jobs)), _video_in_words, as_json)


@contextmanager
def _shelf(folder: Path) -> Iterator[IndexFolder]:
    """The indexes of the folder, or the end of the command with a sentence."""
    from reclaim.matching.folder import IndexFolder

    shelf = IndexFolder(folder)
    shelf.refresh()
    if shelf.fault:
        fail(Exit.ERROR, shelf.fault)
    try:
        yield shelf
    finally:
        shelf.close()


def _tell_all(
    files: Sequence[Path], answers: Iterable[Answer | SignalError], in_words: Callable[[Answer], str], as_json: bool
) -> None:
    """Print an answer for each file; ends the command if some were errors."""
    from reclaim.signals import SignalError

    errors = []
    for file, answer in zip(files, answers, strict=True):
        if isinstance(answer, SignalError):
            errors.append(answer)
            if as_json:
                click.echo(json.dumps({"file": str(file), "error": str(answer)}))
            else:
                click.echo(f"{printable(file)}: {answer}", err=True)
        elif as_json:
            click.echo(json.dumps({"file": str(file), **answer.model_dump(mode="json")}))
        else:
            click.echo(f"{printable(file)}: {in_words(answer)}")
    if errors:
        sys.exit(exit_for(errors))


def _video_in_words(decision: VideoDecision) -> str:
    from reclaim.matching.decisions import Found
    from reclaim.matching.videos import in_words

    lines = [f"{decision.action.value}. {decision.reason}"]
    for match in decision.matches:
        where = "the same file" if isinstance(match, Found) else in_words(match)
        lines.append(f"  {match.type} {match.id}: {where}")
    if decision.more:
        lines.append("  and more")
    return "\n".join(lines)


def _in_words(decision: Decision) -> str:
    lines = [f"{decision.action.value}. {decision.reason}"]
    for match in decision.matches:
        where = "the same file"
        if match.relation is not None:
            where = f"{match.distance} bits, quality {match.quality}. {match.relation.sentence}"
        lines.append(f"  {match.type} {match.id}: {where}")
    if decision.more:
        lines.append("  and more")
    return "\n".join(lines)


@command.command()
@click.option(
    "--keys",
    "path",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Made on first use.",
)
@click.option("--name", default="default", show_default=True, help="Whose key it is; one of the same name ends.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def key(path: Path, name: str, as_json: bool) -> None:
    """Make a key of the match service and print it, once; the file keeps its hash only. It counts within a second.

    To end a key, take its entry out of the file.

    \b
    Example:
      reclaim match key --keys match-keys.json --name upload-servers
    """
    from reclaim.matching.keys import KeyFileError, make_key

    try:
        made = make_key(path, name)
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    except KeyFileError as error:
        fail(Exit.ERROR, str(error))
    if as_json:
        click.echo(json.dumps({"name": name, "key": made}))
    else:
        click.echo(made)


@command.command()
@_index_option
@click.option(
    "--keys",
    "key_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Made by «reclaim match key»; without it match-keys.json beside the folder of indexes.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8200, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes that answer.")
@click.option(
    "--decoders", type=click.IntRange(1, 64), help="Processes that decode pictures, in all; by default one a processor."
)
@click.option(
    "--waiting", default=8, show_default=True, type=click.IntRange(0, 1000), help="Pictures that may wait, a worker."
)
@click.option(
    "--picture-mib", default=32, show_default=True, type=click.IntRange(1, 256), help="Largest picture taken."
)
@click.option(
    "--feed-stale-hours",
    default=24.0,
    show_default=True,
    type=click.FloatRange(min=0.01),
    help="Not ready when the feed was last followed longer ago.",
)
@_policy_options
@click.option(
    "--partly-altered",
    type=click.Choice(["review", "none"]),
    default="review",
    show_default=True,
    help="What to do about a known picture of which a part was replaced.",
)
@click.option(
    "--sources", is_flag=True, help="This platform hosts adult content: look for fakes made from clothed originals."
)
@click.option(
    "--bank",
    "bank_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A platform's DATA/bank.json: ask that bank about what is found by parts. Without it nobody is asked.",
)
def serve(
    folder: Path,
    key_file: Path | None,
    host: str,
    port: int,
    workers: int,
    decoders: int | None,
    waiting: int,
    picture_mib: int,
    feed_stale_hours: float,
    hold_distance: int,
    review_distance: int,
    views: bool,
    partly_altered: str,
    sources: bool,
    bank_file: Path | None,
) -> None:
    """Serve the match API until Ctrl-C. It follows the folder: what is added or withdrawn there acts within a second.

    \b
    Example:
      reclaim match key --keys match-keys.json
      reclaim match serve --index platform-data/index --keys match-keys.json --workers 2
    """
    policy = _policy(hold_distance, review_distance, views=views, partly_altered=partly_altered, sources=sources)
    bank = None if bank_file is None else _bank_of(bank_file)
    import tempfile

    from reclaim.cli.address import AddressTakenError, check_address, free_port
    from reclaim.matching.keys import KEY_FILE, KeyFileError, Keys
    from reclaim.matching.service.config import Config
    from reclaim.matching.service.serve import serve as serve_config
    from reclaim.signals.crew import usable_processors

    keys = (key_file or folder.resolve().parent / KEY_FILE).resolve()
    try:
        Keys(keys)
        port = port or free_port()
        check_address(host, port)
    except (KeyFileError, AddressTakenError) as error:
        fail(Exit.ERROR, str(error))
    with tempfile.TemporaryDirectory(prefix="reclaim-match-") as shared:
        config = Config(
            folder=folder.resolve(),
            keys=keys,
            shared=Path(shared),
            policy=policy,
            bank=bank,
            workers=workers,
            decoders=max(1, (decoders or usable_processors()) // workers),
            waiting=waiting,
            picture_bytes=picture_mib * 2**20,
            feed_stale_after=feed_stale_hours * 3600,
        )
        serve_config(config, host, port)


def _bank_of(path: Path) -> BankForChecks:
    from reclaim.matching.service.checks import BankForChecks
    from reclaim.platform.subscription.bank import BankFileError, load_bank

    try:
        access = load_bank(path)
    except BankFileError as error:
        fail(Exit.ERROR, str(error))
    key = access.descriptors_key or access.platform_key or access.fetch_key
    if access.version == "v1" or key is None:
        fail(Exit.USAGE, "This bank speaks version 1 of the exchange, which has no descriptors. Leave --bank out.")
    return BankForChecks(access.url, key)
