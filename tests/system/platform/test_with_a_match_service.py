"""A bank, a platform, the match service and a scan beside it: a case and its withdrawal reach them all."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

from PIL import Image

from tests.system.environment import RECLAIM, plain_environment
from tests.system.matching.service import Service, everywhere, until
from tests.system.platform.site import Platform
from tests.system.site_process import Bank

PAGODA = Path(__file__).parents[2] / "photos" / "pagoda.jpg"


_KEEP_FOR_REVIEW = """
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.ledger.services import locked_ledger
from reclaim.bank.trust.models import Correction
with locked_ledger() as ledger:
    record = LedgerRecord.objects.get(value=arguments[0])
    Correction.objects.create(record=record, decision="keep", position=ledger.position, by="member:1")
    ledger.touch(record)
"""
"""As a member of the bank's staff does once platforms have rejected a signal."""


def smaller(photo: Path) -> bytes:
    out = io.BytesIO()
    with Image.open(photo) as image:
        image.resize((image.width // 2, image.height // 2)).save(out, "JPEG", quality=40)
    return out.getvalue()


def scanned(source: Path, index: Path, out: Path) -> int:
    """How many files of a back catalogue match."""
    command = [RECLAIM, "scan", str(source), "--index", str(index), "--out", str(out), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=plain_environment())
    return int(json.loads(done.stdout).get("match", 0))


def test_a_case_a_correction_and_its_withdrawal_reach_the_match_service_and_the_next_scan(
    platform: Platform, fresh_bank: Bank, tmp_path: Path
) -> None:
    copy = smaller(PAGODA)
    (catalogue := tmp_path / "catalogue").mkdir()
    (catalogue / "old.jpg").write_bytes(copy)
    platform.command("sync")
    index = platform.data / "index"
    with Service(index) as service:
        assert service.match(copy).json["action"] == "none"

        case = fresh_bank.submit(PAGODA)
        platform.command("sync")
        until(lambda: everywhere(lambda: service.match(copy).json["action"] == "hold", tries=4))
        (match,) = service.match(copy).json["matches"]
        assert (match["value"], match["relation"]["how"]) == (case["signals"][0]["value"], "same")
        assert scanned(catalogue, index / "pdq.index", tmp_path / "scan-1") == 1

        fresh_bank.run(_KEEP_FOR_REVIEW, match["value"])
        platform.command("sync")
        until(lambda: everywhere(lambda: service.match(copy).json["action"] == "review", tries=4))
        assert service.match(copy).json["matches"][0]["review_only"]

        fresh_bank.withdraw(case)
        platform.command("sync")
        until(lambda: everywhere(lambda: service.match(copy).json["action"] == "none", tries=4))
        assert scanned(catalogue, index / "pdq.index", tmp_path / "scan-2") == 0
