"""The peers that drive a bank: the ``tx`` command of the threatexchange package, its client class, and bare HTTP."""

from __future__ import annotations

import functools
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
from threatexchange.exchanges.clients.stopncii.api import StopNCIIAPI, StopNCIIEndpoint

from reclaim.client import BankClient, Keys
from tests.system.environment import plain_environment
from tests.system.hands import Hands
from tests.system.site_process import Bank

TX = str(Path(sys.executable).with_name("tx"))
PHOTOS = Path(__file__).resolve().parents[2] / "photos"
COLLAB = "NCII_TEST"


def stock_client(bank: Bank, keys: dict[str, str]) -> StopNCIIAPI:
    """The package's own client class, with every key."""
    return StopNCIIAPI(
        keys["subscription_key"],
        keys["fetch_key"],
        {
            StopNCIIEndpoint.SubmitHashes: keys["submit_key"],
            StopNCIIEndpoint.SubmitFeedback: keys["feedback_key"],
        },
        base_url_override=bank.url,
    )


def our_client(bank: Bank, keys: dict[str, str]) -> BankClient:
    """Our client, with every key."""
    return BankClient(
        bank.url, Keys(keys["fetch_key"], keys["subscription_key"], keys["feedback_key"], keys["submit_key"])
    )


@functools.cache
def _tx_hands() -> Hands:
    return Hands("tx", environment=plain_environment(PYTHONWARNINGS="ignore"))


@dataclass
class Tx:
    """The ``tx`` command with a home of its own."""

    home: Path
    environment: dict[str, str]

    def full_environment(self) -> dict[str, str]:
        """In which the command runs."""
        home = {"HOME": str(self.home), "TX_STATEDIR": str(self.home / "state")}
        return plain_environment(PYTHONWARNINGS="ignore", **home, **self.environment)

    def __call__(self, *arguments: str | Path, code: int = 0) -> str:
        """Run it, expecting an exit code; what it printed."""
        done = _tx_hands().command(*map(str, arguments), folder=str(self.home), environment=self.full_environment())
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout


def stock_tx(home: Path, bank: Bank, keys: dict[str, str], base_url: str | None = None) -> Tx:
    """The contract's own commands, up to the first fetch."""
    tx = Tx(home, {"TX_STOPNCII_KEYS": f"{keys['fetch_key']},{keys['subscription_key']},{base_url or bank.url}"})
    tx("config", "collab", "edit", "stop_ncii", "--create", COLLAB)
    return tx


def our_tx(home: Path, bank: Bank, keys: dict[str, str], *, feedback: bool = True) -> Tx:
    """The same with our extension."""
    given = [keys["fetch_key"], keys["subscription_key"], *([keys["feedback_key"]] if feedback else [])]
    tx = Tx(home, {"TX_RECLAIM_KEYS": ",".join(given)})
    tx("config", "extensions", "add", "reclaim.client.threatexchange")
    tx("config", "collab", "edit", "reclaim", "--create", COLLAB, "--base-url", bank.url)
    return tx


@dataclass
class Raw:
    """Bare HTTP with one platform's keys: nothing between a test and what the bank sends."""

    bank: Bank
    keys: dict[str, str]

    def call(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        sent = {"Ocp-Apim-Subscription-Key": self.keys["subscription_key"]}
        if key is not None:
            sent["x-functions-key"] = self.keys[key]
        if body is not None:
            sent["Content-Type"] = "application/json"
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        with urllib3.PoolManager() as pool:
            return pool.request(
                method,
                self.bank.url + path,
                body=content,
                headers={**sent, **(headers or {})},
                retries=False,
            )

    def page(self, **query: Any) -> dict[str, Any]:
        """One page of the feed, checked against both tables of the contract."""
        answer = self.call("GET", f"/FetchHashes?{urlencode(query)}", key="fetch_key")
        assert answer.status == 200, answer.data
        assert answer.headers["Content-Type"] == "application/json"
        page: dict[str, Any] = json.loads(answer.data)
        check_page(page)
        return page

    def pages(self, start: int = 10, size: int = 800) -> list[dict[str, Any]]:
        """Every page from ``start`` on."""
        pages = [self.page(startTimestamp=start, pageSize=size)]
        while pages[-1]["hasMoreRecords"]:
            token = pages[-1]["nextPageToken"]
            pages.append(self.page(startTimestamp=start, pageSize=size, nextPageToken=token))
        return pages

    def records(self, start: int = 10) -> dict[str, dict[str, Any]]:
        """Every record from ``start`` on, by value."""
        return {record["hashValue"]: record for page in self.pages(start) for record in page["hashRecords"]}


def _is_whole(number: Any) -> bool:
    return type(number) is int


def check_page(page: dict[str, Any]) -> None:
    """What the contract's tables say that the public client needs, crashes on or silently drops."""
    assert set(page) == {"count", "nextPageToken", "nextSetTimestamp", "hasMoreRecords", "hashRecords"}
    assert _is_whole(page["count"])
    assert page["count"] == len(page["hashRecords"])
    assert _is_whole(page["nextSetTimestamp"])
    assert page["nextSetTimestamp"] < 10**10, "milliseconds"
    assert type(page["hasMoreRecords"]) is bool
    if page["hasMoreRecords"]:
        assert isinstance(page["nextPageToken"], str)
        assert page["nextPageToken"]
    else:
        assert page["nextPageToken"] is None
    for record in page["hashRecords"]:
        check_record(record)
    seconds = [record["lastModtimestamp"] for record in page["hashRecords"]]
    assert seconds == sorted(seconds)
    if seconds:
        assert page["nextSetTimestamp"] == seconds[-1]


def check_record(record: dict[str, Any]) -> None:
    statuses = {"Unknown", "Received", "Active", "Withdrawn", "Deleted"}
    assert set(record) == {
        "lastModtimestamp",
        "signalType",
        "hashValue",
        "hashStatus",
        "caseNumbers",
        "CSPFeedbacks",
    }
    assert _is_whole(record["lastModtimestamp"])
    assert record["signalType"] in {"Unknown", "ImagePDQ", "VideoMD5", "VideoTMK", "Text", "URL"}
    assert isinstance(record["hashValue"], str)
    assert record["hashValue"]
    assert record["hashValue"] == record["hashValue"].lower()
    assert record["hashStatus"] in statuses
    assert isinstance(record["caseNumbers"], dict)
    assert set(record["caseNumbers"].values()) <= statuses
    assert isinstance(record["CSPFeedbacks"], list)
    for said in record["CSPFeedbacks"]:
        assert isinstance(said["source"], str)
        assert said["source"]
        assert said["feedbackValue"] in {
            "Unknown",
            "None",
            "QualityUnknown",
            "PendingReview",
            "Blocked",
            "NotBlocked",
            "Withdrawn",
            "Deleted",
        }
        assert isinstance(said["tags"], list)
        assert all(isinstance(tag, str) for tag in said["tags"])
