"""Writes of the gate: letting in, and one-time codes."""

from __future__ import annotations

import datetime
import hmac
import secrets
from dataclasses import dataclass

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from reclaim.bank.gate.figures import figures
from reclaim.bank.gate.models import IntakeCode, UsedPuzzle
from reclaim.bank.gate.puzzles import CheckedProof, ProofError, check_proof
from reclaim.bank.gate.queries import ARRIVED, EVERYWHERE, HOUR, usable_codes
from reclaim.sitekit import audit
from reclaim.sitekit.limits import Limit, SlowDownError, hidden_threshold, network_of, note, seconds_to_wait
from reclaim.sitekit.readable import ALPHABET, bare_text
from reclaim.sitekit.secrets import mac

CODE_CHARACTERS = 12
"""60 bits: with ten thousand codes out and a thousand guesses a second, a guess is right once in 3,600 years."""
MOST_CODES = 500
LONGEST_CODE_LIFE = datetime.timedelta(days=365)


@dataclass(frozen=True)
class UsableCode:
    """A one-time code that was unused a moment ago, or was used for the very same sending."""

    mac: bytes
    receipt_mac: bytes

    def spend(self) -> bool:
        """Use it for its sending; ``False`` if it was used for another meanwhile."""
        # One statement: of two at once, one finds it unused.
        return bool(usable_codes().filter(mac=self.mac).update(used_receipt_mac=self.receipt_mac)) or self.is_spent()

    def is_spent(self) -> bool:
        """Whether it was used for its sending."""
        used = IntakeCode.objects.filter(mac=self.mac, used_receipt_mac=self.receipt_mac)
        return used.filter(revoked=False, expires_at__gt=timezone.now()).exists()


@dataclass(frozen=True)
class Admission:
    """Somebody is let in: from which network (as ``network_of`` gives it), and with which one-time code, if any."""

    network: bytes
    code: UsableCode | None = None

    @property
    def vouched(self) -> bool:
        """Whether an organisation vouches."""
        return self.code is not None

    def spend(self) -> None:
        """Use the code up; to be called once something will be taken, right before. Raises ``ProofError`` where
        somebody else was faster."""
        if self.code is not None and not self.code.spend():
            raise ProofError("code")


def admit(request: HttpRequest, sending: bytes, proof: str | None, code: str | None) -> Admission:
    """Let a case or an addition in, by its one-time code or else by its proof of work; each lets in one ``sending``:
    the receipt, with what is sent and where to. With the receipt alone, one code would let in any number of additions.

    A code is used up by ``Admission.spend`` alone, so what cannot be taken costs none; a proof is used up here.
    A code that cannot be used does not stop somebody who has a proof. Raises ``ProofError`` and ``SlowDownError``;
    a database error is left to the caller, who must refuse. Call it outside a transaction: what was used stays used.
    """
    network = network_of(request)
    receipt_mac = mac("receipt-at-the-gate", sending)
    if code and (usable := _usable_code(network, code, receipt_mac)):
        note(ARRIVED, EVERYWHERE)
        return Admission(network, usable)
    if not proof:
        raise ProofError("code" if code else "missing")
    # Nothing was written yet: whoever has not worked costs this bank two MACs and nothing else.
    _use_puzzle(check_proof(proof), receipt_mac)
    most = figures().network.cases
    limit = Limit("case, network", hidden_threshold("cases", network, most, 2 * most), HOUR)
    if wait := seconds_to_wait([(limit, network)]):
        raise SlowDownError(wait)
    note(ARRIVED, EVERYWHERE)
    return Admission(network)


def _use_puzzle(proof: CheckedProof, receipt_mac: bytes) -> None:
    # The primary key decides between two at once: one makes the row, the other finds it.
    used, _ = UsedPuzzle.objects.get_or_create(
        signature=proof.signature, defaults={"receipt_mac": receipt_mac, "expires_at": proof.expires_at}
    )
    if not hmac.compare_digest(bytes(used.receipt_mac), receipt_mac):
        raise ProofError("used")


def _code_mac(code: str) -> bytes:
    return mac("intake-code", code.encode())


def _usable_code(network: bytes, typed: str, receipt_mac: bytes) -> UsableCode | None:
    code = parse_code(typed)
    if code is None or seconds_to_wait([(Limit("code, network", figures().network.codes, HOUR), network)]):
        return None
    found = UsableCode(_code_mac(code), receipt_mac)
    return found if usable_codes().filter(mac=found.mac).exists() or found.is_spent() else None


def parse_code(typed: str) -> str | None:
    """The bare code in what a person typed, or ``None`` where it cannot be one: case, spaces and dashes do not matter,
    O is 0, I and L are 1."""
    bare = bare_text(typed)
    return bare if len(bare) == CODE_CHARACTERS and set(bare) <= set(ALPHABET) else None


def make_codes(organisation: str, count: int, life: datetime.timedelta) -> list[str]:
    """Make one-time codes for an organisation, as a person reads them (K7QM-4XZP-0B2D). The bank keeps only MACs.

    Raises ``ValueError`` for a name that is empty, too long or not plain text, for none or more than ``MOST_CODES``,
    and for a life of less than an hour or more than a year.
    """
    organisation = organisation.strip()
    if not 1 <= len(organisation) <= 80 or not organisation.isprintable():
        raise ValueError("An organisation's name has 1 to 80 printable characters.")
    if not 1 <= count <= MOST_CODES:
        raise ValueError(f"Make 1 to {MOST_CODES} codes at a time.")
    if not datetime.timedelta(hours=1) <= life <= LONGEST_CODE_LIFE:
        raise ValueError("A code lives an hour to a year.")
    expires_at = timezone.now() + life
    made = ["".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARACTERS)) for _ in range(count)]
    with transaction.atomic():
        IntakeCode.objects.bulk_create(
            IntakeCode(mac=_code_mac(code), organisation=organisation, expires_at=expires_at) for code in made
        )
        audit.record("operator", "code.make", f"codes:{count}")
    return ["-".join((code[:4], code[4:8], code[8:])) for code in made]


def revoke_codes(organisation: str) -> int:
    """End every unused code of an organisation at once; returns how many."""
    with transaction.atomic():
        ended = usable_codes().filter(organisation=organisation).update(revoked=True)
        if ended:
            audit.record("operator", "code.revoke", f"codes:{ended}")
    return ended


def forget_used() -> int:
    """Forget puzzles and codes that have expired, used or not; returns how many."""
    now = timezone.now()
    puzzles, _ = UsedPuzzle.objects.filter(expires_at__lt=now).delete()
    codes, _ = IntakeCode.objects.filter(expires_at__lt=now).delete()
    return puzzles + codes
