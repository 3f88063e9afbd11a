"""``reclaim platform``: run a platform."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reclaim.cli import members, platform_adapter
from reclaim.cli.exits import Exit, exit_for
from reclaim.cli.options import fail, open_site_or_fail, printable, serve_or_fail, serving_options, site_options
from reclaim.cli.platform_progress import sync_progress
from reclaim.sitekit.roles import PLATFORM_ROLES

if TYPE_CHECKING:
    from reclaim.client import Bank, BankError


def _open(data: Path, database_url: str | None, *, migrate: bool = True) -> None:
    open_site_or_fail("reclaim.platform.settings", data, database_url, migrate=migrate)


def _bank_client() -> Bank:
    from reclaim.platform.subscription.bank import BankFileError
    from reclaim.platform.work import bank_client

    try:
        return bank_client()
    except BankFileError as error:
        fail(Exit.ERROR, str(error))


def _exit_of(error: BankError) -> Exit:
    from reclaim.client import BankUnreachable

    return Exit.BANK_UNREACHABLE if isinstance(error, BankUnreachable) else Exit.REFUSED_BY_BANK


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Run a platform: sync, match, decide, serve the review site.

    \b
    Example:
      reclaim platform serve --data platform-data
    """


command.add_command(members.group("platform", PLATFORM_ROLES), "member")


command.add_command(platform_adapter.command, "adapter")


@command.command()
@site_options
@click.option("--bank", "url", metavar="URL", required=True, help="The bank's address.")
@click.option(
    "--keys",
    metavar="FILE",
    type=click.File("rb"),
    default="-",
    help="What «reclaim bank platform add NAME --json» printed; - or nothing reads standard input.",
)
@click.option(
    "--least-trust",
    default=0,
    show_default=True,
    type=click.IntRange(0, 100),
    help="Take only signals that the bank trusts this much or more.",
)
@click.option(
    "--extra",
    "extra",
    multiple=True,
    type=click.Choice(["descriptors", "source"]),
    help="Fetch this too; the bank's key has to be for it. Without it, what was fetched of it is deleted.",
)
@click.option("--new-upload-key", is_flag=True, help="Make another upload key; the present one ends.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def init(
    data: Path,
    database_url: str | None,
    url: str,
    keys: Any,
    least_trust: int,
    extra: Sequence[str],
    new_upload_key: bool,
    as_json: bool,
) -> None:
    """Join a bank: keep its address and keys, and make the key of the HTTP API.

    The bank is asked which version of the exchange it speaks, and who signs its snapshots; an address that ends in /v1
    is taken as it is. Again with new keys or another address replaces the old ones; the upload key stays unless a new
    one is asked for.

    \b
    Example:
      reclaim bank platform add Example --data bank-data --json > keys.json
      reclaim platform init --data platform-data --bank https://bank.example --keys keys.json
    """
    from pydantic import ValidationError

    from reclaim.client import BankError, ExtraType
    from reclaim.platform.subscription.bank import BankFileError, BankKeys, find_bank, load_bank, save_bank

    try:
        given = BankKeys.model_validate(json.loads(keys.read(64 * 1024)))
    except ValidationError as error:
        faults = {str(fault["loc"][0]) if fault["loc"] else "" for fault in error.errors()}
        fail(Exit.USAGE, f"These keys are not complete ({', '.join(sorted(faults))}). Ask the bank for all of them.")
    except (ValueError, TypeError):
        fail(Exit.USAGE, "These are not the keys that «reclaim bank platform add NAME --json» prints.")
    if (missing := given.missing("v2")) and given.missing("v1"):
        fail(Exit.USAGE, f"These keys are not complete ({', '.join(missing)}). Ask the bank for all of them.")
    try:
        access = find_bank(url, given, least_trust, [ExtraType(each) for each in extra])
        access.client()
    except BankError as error:
        fail(_exit_of(error), str(error))
    except ValueError as error:
        fail(Exit.USAGE, str(error).partition("\n")[0])
    _open(data, database_url)
    from django.conf import settings

    from reclaim.platform.inbox.models import UploadKey
    from reclaim.platform.inbox.services import make_upload_key
    from reclaim.platform.subscription.services import start_over

    try:
        before = load_bank(settings.BANK_FILE)
    except BankFileError:
        before = access
    save_bank(settings.BANK_FILE, access)
    if (before.url, before.pinned, before.least_trust) != (access.url, access.pinned, access.least_trust):
        start_over()
    upload_key = make_upload_key() if new_upload_key or not UploadKey.objects.exists() else None
    if as_json:
        click.echo(json.dumps({"bank": access.url, "name": access.name, "upload_key": upload_key}))
        return
    click.echo(f"«{access.name}» follows the bank at {access.url}. Fetch its signals with: reclaim platform sync")
    if upload_key:
        click.echo(f"Upload key, shown this once; the site keeps no copy:\n  {upload_key}")


@command.command()
@site_options
@click.option("--follow", "following", is_flag=True, help="Go on until stopped: sync as soon as the bank says so.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def sync(data: Path, database_url: str | None, following: bool, as_json: bool) -> None:
    """Fetch what changed at the bank, delete what was withdrawn, and tell the bank so.

    \b
    Exit codes: 0 also where another sync is at it and does the work; 32 the bank cannot be reached, 33 it refused or
    its answer breaks the contract.

    \b
    Example:
      reclaim platform sync --data platform-data
    """
    import dataclasses

    if following:
        if as_json:
            fail(Exit.USAGE, "--follow has no end, so there is nothing to print as JSON. Leave --json out.")
        _open(data, database_url, migrate=False)
        from reclaim.platform.follow import Follower
        from reclaim.sitekit.serve import until_stopped

        until_stopped(lambda stop: Follower(stop).run())
        return
    _open(data, database_url)
    from reclaim.client import BankError, SyncOvertaken
    from reclaim.platform.subscription.queries import signal_count
    from reclaim.platform.work import sync as follow

    client = _bank_client()
    try:
        with sync_progress() as on_page:
            report = follow(client, on_page)
    except SyncOvertaken as error:
        click.echo(str(error), err=True)
        sys.exit(Exit.OK)
    except BankError as error:
        fail(_exit_of(error), str(error))
    held = signal_count()
    if as_json:
        click.echo(json.dumps({**dataclasses.asdict(report), "held": held}))
        return
    click.echo(
        f"New or changed: {report.active}. Withdrawn and deleted: {report.tombstones + report.swept}. Held: {held}."
    )
    if report.skipped:
        click.echo(f"Records that could not be read and were left out: {report.skipped}.", err=True)
    if report.not_acknowledged:
        click.echo(
            f"Deletions the bank could not be told of, for want of a feedback key: {report.not_acknowledged}.", err=True
        )


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@site_options
@click.option("--adult/--not-adult", default=None, help="Whether the files are adult content, if you can say.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def match(files: Sequence[Path], data: Path, database_url: str | None, adult: bool | None, as_json: bool) -> None:
    """Take each FILE as an upload: match it, and hold it for review if it matches.

    What it may show by its parts alone, the bank is asked about at the next tick. A file that cannot be read gets an
    error of its own while the rest goes on.

    \b
    Exit codes: 0 all files were read, matched or not; 10 not a picture, 11 empty, 12 cut short or damaged,
    13 too large, 15 not found or not readable, 17 a video packed in a way that is not read, 18 encrypted,
    where that was the only kind of error; otherwise 1.

    \b
    Example:
      reclaim platform match one.jpg two.png --data platform-data
    """
    _open(data, database_url)
    from reclaim.platform.inbox.api import upload_as_json
    from reclaim.platform.inbox.services import take_upload
    from reclaim.signals import SignalError
    from reclaim.signals.sources import read_bytes

    errors = []
    for file in files:
        try:
            answer = upload_as_json(take_upload(read_bytes(file), "operator", adult=adult))
        except SignalError as error:
            errors.append(error)
            if as_json:
                click.echo(json.dumps({"file": str(file), "upload": None, "matches": [], "error": str(error)}))
            else:
                click.echo(f"{printable(file)}: {error}", err=True)
            continue
        if as_json:
            click.echo(json.dumps({"file": str(file), **answer}))
        else:
            click.echo(f"{printable(file)}: {_in_words(answer)}")
    if errors:
        sys.exit(exit_for(errors))


def _in_words(answer: dict[str, Any]) -> str:
    poor = " (little detail: this says little)" if answer["poor_quality"] else ""
    if not answer["matches"]:
        return f"clear{poor}{'; the bank is to be asked about its parts' if answer['under_review'] else ''}"
    found = ", ".join(f"{each['match']} at {_nearness(each)}, {each['turn']}" for each in answer["matches"])
    stands = "held" if answer["status"] == "held" else "clear, and to be looked at"
    return f"{stands}{poor}: {found}"


def _nearness(match: dict[str, Any]) -> str:
    if match["query_percent"] is None and match["distance"] is None:
        return "its parts"
    if match["query_percent"] is None:
        return f"{match['distance']:2} bits"
    return f"{match['query_percent']:.0f} % of it in the known video, {match['video_percent']:.0f} % the other way"


@command.command()
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def matches(data: Path, database_url: str | None, as_json: bool) -> None:
    """List the matches that wait for a decision, longest waiting first.

    \b
    Example:
      reclaim platform matches --data platform-data
    """
    _open(data, database_url)
    from reclaim.platform.inbox.api import match_as_json
    from reclaim.platform.inbox.queries import open_matches
    from reclaim.sitekit import audit

    audit.record("operator", "queue.read", "matches:open")
    for each in open_matches():
        entry = match_as_json(each)
        if as_json:
            click.echo(json.dumps(entry))
        else:
            click.echo(f"{entry['match']}  {_nearness(entry)}  {entry['turn']:<10}  since {entry['found_at']}")


@command.command()
@click.argument("match_id", metavar="MATCH")
@click.argument("verdict", metavar="blocked|not-blocked", type=click.Choice(["blocked", "not-blocked"]))
@site_options
@click.option("--by", "reviewer", default="operator", show_default=True, metavar="NAME", help="Who decided.")
@click.option(
    "--reason",
    type=click.Choice(["not-the-same", "not-intimate", "allowed-here", "cannot-tell", "other"]),
    help="Why it is not blocked; the bank and the person are told.",
)
@click.option("--note", default="", help="Stays here, with the decision.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def decide(
    match_id: str,
    verdict: str,
    data: Path,
    database_url: str | None,
    reviewer: str,
    reason: str | None,
    note: str,
    as_json: bool,
) -> None:
    """Decide a MATCH, and tell the bank. «blocked» decides all matches of the same upload.

    Where the rules of the review want two people, decide on its pages.

    If the bank cannot be reached, the decision is kept and the bank is told at a later tick.

    \b
    Example:
      reclaim platform decide 0b5c7c39-6a52-4f3e-9a43-2f6f4a8f6f0e not-blocked --reason allowed-here --by Ada
    """
    try:
        number = uuid.UUID(match_id)
    except ValueError:
        fail(Exit.USAGE, "A match is named as «reclaim platform matches» lists it.")
    if reason and verdict == "blocked":
        fail(Exit.USAGE, "A reason goes with not-blocked; say more about a block in --note.")
    if not 1 <= len(reviewer) <= 80 or not reviewer.isprintable() or len(note) > 500 or not note.isprintable():
        fail(Exit.USAGE, "A name has 1 to 80 printable characters, a note at most 500.")
    _open(data, database_url)
    from reclaim.client import BankError
    from reclaim.platform.inbox.api import match_as_json
    from reclaim.platform.inbox.deciding import Decider, NotDecidedError
    from reclaim.platform.inbox.deciding import decide as decide_match
    from reclaim.platform.inbox.models import Decision, Match
    from reclaim.platform.work import deliver_feedback

    try:
        why = Decision.Reason(reason) if reason else None
        by = Decider(reviewer, "operator")
        decided = decide_match(number, Decision.Verdict(verdict), by, note=note, reason=why)
    except Match.DoesNotExist:
        fail(Exit.ERROR, "There is no such match. «reclaim platform matches» lists them.")
    except NotDecidedError as error:
        fail(Exit.ERROR, str(error))
    try:
        deliver_feedback(_bank_client())
        told = True
    except BankError as error:
        told = False
        click.echo(f"The decision is kept; the bank will be told later. {error}", err=True)
    if as_json:
        click.echo(json.dumps({**match_as_json(decided), "upload_status": decided.upload.status, "bank_told": told}))
    else:
        click.echo(f"Decided: {decided.status}." + (" The bank was told." if told else ""))


@command.command()
@site_options
@click.option("--every", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Go on, this often, until stopped.")
def tick(data: Path, database_url: str | None, every: float | None) -> None:
    """Do the platform's recurring work: sync, tell the bank what was decided, tidy up.

    \b
    Example:
      reclaim platform tick --data platform-data
    """
    _open(data, database_url, migrate=every is None)
    from reclaim.platform.work import tick as work
    from reclaim.sitekit.serve import tick_forever

    if every is not None:
        tick_forever(work, every)
    elif not work():
        fail(Exit.ERROR, "Not all of the work could be done; it is tried again at the next tick.")


@command.command()
@site_options
@serving_options(8100)
@click.option(
    "--every",
    default=30.0,
    show_default=True,
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    help="How often to tick.",
)
@click.option("--follow/--no-follow", default=True, help="Whether to sync as soon as the bank says so.")
def serve(data: Path, database_url: str | None, host: str, port: int, workers: int, every: float, follow: bool) -> None:
    """Serve the HTTP API and the review site until Ctrl-C, follow the bank, and do the recurring work.

    \b
    Example:
      reclaim platform serve --data platform-data --port 8100
    """
    _open(data, database_url)
    beside = {"ticker": ["platform", "tick", "--every", str(every), "--data", str(data)]}
    if follow:
        beside["follower"] = ["platform", "sync", "--follow", "--data", str(data)]
    serve_or_fail("platform", host, port, beside, workers)
