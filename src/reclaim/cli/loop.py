"""``reclaim loop``: the whole loop on one picture, with the two sites running as they do for real."""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import altcha
import click
import urllib3
from rich.console import Console

from reclaim.cli.address import free_port
from reclaim.cli.edits import EDITS, edited_copy
from reclaim.cli.exits import Exit, exit_for
from reclaim.cli.processes import ProcessFailedError, Site, reclaim, reclaim_json
from reclaim.protocol.stopncii_v1 import FUNCTION_KEY_HEADER, SUBSCRIPTION_KEY_HEADER
from reclaim.signals import SignalError, fingerprint

PLATFORM = "Example"


class StepFailedError(Exception):
    """A step did not show what it should; the message says what was seen instead."""


class EditNotFoundError(StepFailedError):
    """The edited copy is too far from the original for plain PDQ."""


@dataclass
class Step:
    """One step of the loop, as it went."""

    name: str
    ok: bool
    seconds: float
    detail: str


class Loop:
    """Does the steps one after the other. Each returns a sentence that says what it saw."""

    def __init__(self, picture: Path, edit: str, folder: Path, report: Callable[[Step], None]) -> None:
        self._picture = picture
        self._edit = edit
        self._bank_data, self._platform_data = folder / "bank", folder / "platform"
        self._report = report
        self._http = urllib3.PoolManager(retries=False, timeout=30)
        self.steps: list[Step] = []
        self.edit_was_found = True

    def run(self) -> None:
        """Do every step; raises ``StepFailedError`` or ``ProcessFailedError`` at the first that fails.

        An edit that is not found is reported and ends nothing: the person's picture is withdrawn all the same.
        """
        self._step("fingerprint", self._fingerprint)
        with Site(["bank", "serve", "--no-events", "--data", self._bank_data], free_port(), quiet=True) as self._bank:
            self._step("vet the platform", self._vet)
            self._step("case", self._make_case)
            self._step("sync", self._sync)
            with Site(
                ["platform", "serve", "--no-follow", "--data", self._platform_data], free_port(), quiet=True
            ) as self._platform:
                try:
                    self._step("match", self._match)
                except EditNotFoundError:
                    self.edit_was_found = False
                else:
                    self._step("decision", self._decide)
                    self._step("feedback", self._feedback)
                    self._step("case page", self._case_page)
                self._step("withdrawal", self._withdraw)
                self._step("tombstone", self._tombstone)
                self._step("platform deletes", self._platform_deletes)
                self._step("no longer matches", self._no_longer_matches)
                self._step("value erased", self._erased)

    def _step(self, name: str, work: Callable[[], str]) -> None:
        start = time.perf_counter()
        detail, ok = "It was interrupted.", False
        try:
            detail, ok = work(), True
        except (StepFailedError, ProcessFailedError, SignalError) as error:
            detail = str(error)
            raise
        except (urllib3.exceptions.HTTPError, ValueError, KeyError) as error:
            detail = f"An answer could not be used ({type(error).__name__})."
            raise StepFailedError(detail) from error
        except Exception as error:
            detail = f"This step failed unexpectedly ({type(error).__name__})."
            raise StepFailedError(detail) from error
        finally:
            self.steps.append(Step(name, ok, round(time.perf_counter() - start, 3), detail))
            self._report(self.steps[-1])

    def _fingerprint(self) -> str:
        self._signals = fingerprint(self._picture).insist()
        return f"one PDQ signal of quality {self._signals.quality}; the picture itself goes nowhere"

    def _vet(self) -> str:
        keys = reclaim("bank", "platform", "add", PLATFORM, "--data", self._bank_data, "--json")
        self._keys = json.loads(keys)
        bank = f"{self._bank.url}/v1"
        connected = reclaim_json(
            "platform", "init", "--data", self._platform_data, "--bank", bank, "--keys", "-", stdin=keys
        )
        self._upload_headers = {"Authorization": f"Bearer {connected['upload_key']}"}
        return f"the bank gave «{PLATFORM}» its keys and keeps only their MACs"

    def _call(self, method: str, url: str, **how: Any) -> urllib3.BaseHTTPResponse:
        answer = self._http.request(method, url, redirect=False, **how)
        if answer.status >= 400:
            raise StepFailedError(f"{method} {url.split('/', 3)[3]} answered {answer.status}.")
        return answer

    def _proof(self) -> str:
        puzzle = altcha.Challenge.from_dict(self._call("GET", f"{self._bank.url}/start/puzzle/").json()["challenge"])
        solution = altcha.solve_challenge(puzzle)
        if solution is None:
            raise StepFailedError("The bank's puzzle took too long to solve.")
        return altcha.Payload(puzzle, solution).to_base64()

    def _make_case(self) -> str:
        signal = {"type": "pdq", "value": self._signals.pdq, "quality": self._signals.quality}
        body = {
            "receipt": secrets.token_hex(32),
            "proof": self._proof(),
            "made_with_ai": "unsaid",
            "items": [{"kind": "picture", "signals": [signal]}],
        }
        made = self._call("POST", f"{self._bank.url}/start/case/", json=body).json()
        self._number, self._pin = made["case_number"], made["pin"]
        return "the bank took the signal over HTTP and gave a case number and a PIN"

    def _sync(self) -> str:
        report = reclaim_json("platform", "sync", "--data", self._platform_data)
        if report["held"] != 1:
            raise StepFailedError(f"The platform holds {report['held']} signals instead of 1.")
        return "the platform fetched the signal over HTTP"

    def _upload(self, edit: str) -> Any:
        copy = edited_copy(self._picture, edit)
        headers = {**self._upload_headers, "Content-Type": "image/jpeg"}
        return self._call("POST", f"{self._platform.url}/api/uploads", body=copy, headers=headers).json()

    def _match(self) -> str:
        upload = self._upload(self._edit)
        if not upload["matches"]:
            raise EditNotFoundError(
                f"the copy edited with {self._edit} was not found: nothing of it, whole, turned, trimmed or split, is "
                "within 31 bits of the original; cut pictures are found by descriptors, which a person chooses to add"
            )
        match = upload["matches"][0]
        self._match_id = match["match"]
        return f"the copy edited with {self._edit} was found: distance {match['distance']}, turn {match['turn']}"

    def _decide(self) -> str:
        self._call(
            "POST",
            f"{self._platform.url}/api/matches/{self._match_id}/decision",
            json={"decision": "blocked", "reviewer": "loop", "note": ""},
            headers=self._upload_headers,
        )
        return "a reviewer decided: blocked"

    def _feedback(self) -> str:
        reclaim("platform", "tick", "--data", self._platform_data)
        said = [(word["source"], word["feedbackValue"]) for word in self._record()["CSPFeedbacks"]]
        if said != [(PLATFORM, "Blocked")]:
            raise StepFailedError("The bank's record does not carry the decision.")
        return "the decision went back to the bank by itself"

    def _sign_in(self) -> str:
        answer = self._call(
            "POST", f"{self._bank.url}/case/", fields={"number": self._number, "pin": self._pin}, encode_multipart=False
        )
        cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
        if answer.status != 302 or not cookie:
            raise StepFailedError("Case number and PIN were not accepted.")
        return cookie

    def _read_case_page(self) -> str:
        cookie = self._sign_in()
        page = self._call("GET", f"{self._bank.url}/case/pictures/", headers={"Cookie": cookie})
        return page.data.decode()

    def _case_page(self) -> str:
        if 'data-what="removed" data-count="1"' not in self._read_case_page():
            raise StepFailedError("The case page does not say that the platform removed a copy.")
        return f"the case page says that «{PLATFORM}» found a copy and removed it"

    def _withdraw(self) -> str:
        headers = {"Cookie": self._sign_in(), "Origin": self._bank.url}
        self._call(
            "POST",
            f"{self._bank.url}/case/withdraw/",
            fields={"item": "all", "sure": "yes"},
            headers=headers,
            encode_multipart=False,
        )
        return "the person withdrew the picture on the case page"

    def _record(self) -> Any:
        records = self._feed()
        if len(records) != 1:
            raise StepFailedError(f"The feed has {len(records)} records instead of 1.")
        return records[0]

    def _feed(self) -> Any:
        headers = {
            FUNCTION_KEY_HEADER: self._keys["fetch_key"],
            SUBSCRIPTION_KEY_HEADER: self._keys["subscription_key"],
        }
        answer = self._call("GET", f"{self._bank.url}/v1/FetchHashes?startTimestamp=10", headers=headers)
        return answer.json()["hashRecords"]

    def _tombstone(self) -> str:
        records = self._feed()
        if [record["hashStatus"] for record in records] not in (["Withdrawn"], []):
            raise StepFailedError("The feed does not say that the signal is withdrawn.")
        if not records:
            # The platform's own recurring sync was faster than this step: it has deleted its copy and said so.
            return "the feed told every platform to delete its copy, and all have"
        return "the feed tells every platform to delete its copy"

    def _platform_deletes(self) -> str:
        report = reclaim_json("platform", "sync", "--data", self._platform_data)
        if report["held"]:
            raise StepFailedError("The platform still holds the signal.")
        return "the platform deleted its copy and said so to the bank"

    def _no_longer_matches(self) -> str:
        # A copy that was never found would show nothing; a plainly recompressed one is always found before.
        edit = self._edit if self.edit_was_found else "jpeg30"
        if self._upload(edit)["matches"]:
            raise StepFailedError(f"A copy edited with {edit} is still found.")
        return f"a copy edited with {edit}, uploaded now, is not found any more"

    def _erased(self) -> str:
        if self._feed():
            raise StepFailedError("The bank still holds the value.")
        return "every platform has acknowledged, so the bank erased the value"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--image",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A picture of yours; without it, a photograph that Reclaim carries.",
)
@click.option("--edit", type=click.Choice(EDITS), default="jpeg30", show_default=True, help="What happens to the copy.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
def command(image: Path | None, edit: str, as_json: bool) -> None:
    """Run the whole loop on one picture: device, bank, platform, and back to the person.

    A bank and a platform run on this machine in a throw-away folder, and talk over HTTP.

    \b
    Exit codes:
      0   every step passed
      10  not a picture        11  empty file     12  cut short
      13  too large            14  no use as a signal
      15  file not found       20  a step failed
      21  PDQ does not find this edit (crop10); everything else passed

    \b
    Example:
      reclaim loop --image photo.jpg --edit flip
    """
    console = Console(stderr=as_json, highlight=False)

    def report(step: Step) -> None:
        mark = "[green]✓[/green]" if step.ok else "[red]✗[/red]"
        console.print(f" {mark} {step.name:<18} {step.seconds:6.2f} s  {step.detail}", soft_wrap=True)

    with as_file(files("reclaim.cli") / "data" / "example.jpg") as example, tempfile.TemporaryDirectory() as folder:
        loop = Loop(image or example, edit, Path(folder), report)
        code, error = _run(loop)
    if as_json:
        done = {"ok": code is Exit.OK, "steps": [asdict(step) for step in loop.steps]}
        click.echo(json.dumps(done | ({"error": error} if error else {})))
    elif error and code is not Exit.EDIT_NOT_FOUND:
        failed_step_said_it = code is Exit.LOOP_STEP_FAILED and any(step.detail == error for step in loop.steps)
        if not failed_step_said_it:
            click.echo(error, err=True)
    sys.exit(code)


def _run(loop: Loop) -> tuple[Exit, str]:
    try:
        loop.run()
    except SignalError as error:
        return exit_for([error]), str(error)
    except (StepFailedError, ProcessFailedError) as error:
        return Exit.LOOP_STEP_FAILED, str(error)
    except Exception as error:
        return Exit.LOOP_STEP_FAILED, f"The loop stopped unexpectedly ({type(error).__name__})."
    if not loop.edit_was_found:
        return Exit.EDIT_NOT_FOUND, "PDQ does not find this edit."
    return Exit.OK, ""
