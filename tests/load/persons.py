"""Persons who make cases and withdraw them over HTTP, as their pages do, and remember what the bank told them.

Whatever does not answer is sent again, unchanged, until it answers: a page keeps its receipt, and so does a person.
"""

from __future__ import annotations

import json
import random
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import requests

from tests.load.values import a_value

Answer = TypeVar("Answer")

PATIENCE = 60.0
"""Seconds after which something that still does not answer is a fault."""
_PAUSE = 0.1


@dataclass
class Told:
    """What persons were told: each value of a case that is saved, and each that is withdrawn."""

    saved: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    cases: int = 0
    sent_again: int = 0
    """Requests that had to be repeated."""

    @property
    def in_place(self) -> set[str]:
        """What platforms must hold, and nothing else."""
        return self.saved - self.withdrawn


@dataclass
class Sending:
    """What one page sends, with one receipt, however often."""

    values: list[str]
    code: str
    receipt: str = field(default_factory=lambda: secrets.token_hex(32))

    def send(self, root: str) -> dict[str, str]:
        """Send it; number and PIN among the answer. Raises ``RequestException`` where it should be sent again."""
        items = [
            {"kind": "picture", "signals": [{"type": "pdq", "value": value, "quality": 90}]} for value in self.values
        ]
        sent = {"receipt": self.receipt, "code": self.code, "made_with_ai": "unsaid", "items": items}
        headers = {"Content-Type": "application/json", "X-Forwarded-For": _an_address()}
        answer = requests.post(f"{root}/start/case/", json.dumps(sent), headers=headers, timeout=10)
        return dict(_checked(answer, 201).json())


def sign_in(root: str, number: str, pin: str) -> requests.Session:
    """Open a case. Raises ``RequestException`` where it should be tried again."""
    page = requests.Session()
    page.headers.update({"Origin": root, "X-Forwarded-For": _an_address()})
    form = {"number": number, "pin": pin}
    _checked(page.post(f"{root}/case/", form, allow_redirects=False, timeout=10), 302)
    return page


def withdraw_all(root: str, page: requests.Session) -> None:
    """Withdraw everything of the case that is open. Raises ``RequestException`` where it should be tried again."""
    form = {"item": "all", "sure": "yes"}
    _checked(page.post(f"{root}/case/withdraw/", form, allow_redirects=False, timeout=10), 302)


@dataclass
class _Case:
    number: str
    pin: str
    values: list[str]


class Person(threading.Thread):
    """One after the other: makes a case, and now and then withdraws an earlier one. Pauses when asked."""

    def __init__(self, root: str, codes: list[str], told: Told, lock: threading.Lock) -> None:
        super().__init__()
        self._root, self._codes, self._told, self._lock = root, codes, told, lock
        self._cases: list[_Case] = []
        self._may_go = threading.Event()
        self._may_go.set()
        self._resting = threading.Event()
        self._stopped = False
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._stopped:
                if not self._may_go.is_set():
                    self._resting.set()
                    self._may_go.wait()
                    self._resting.clear()
                    continue
                if self._cases and random.random() < 0.4:
                    self._withdraw(self._cases.pop(random.randrange(len(self._cases))))
                else:
                    self._make()
        except BaseException as error:
            self.fault = error
            self._resting.set()

    def rest(self) -> None:
        """Finish what is being sent, and wait."""
        self._may_go.clear()
        if not self._resting.wait(2 * PATIENCE):
            raise RuntimeError("A person waited too long for an answer.")
        if self.fault is not None:
            raise self.fault

    def go_on(self) -> None:
        """After a rest."""
        self._may_go.set()

    def stop(self) -> None:
        """For good."""
        self._stopped = True
        self._may_go.set()
        self.join()

    def _make(self) -> None:
        values = [a_value() for _ in range(random.randint(1, 4))]
        with self._lock:
            code = self._codes.pop()
        sending = Sending(values, code)
        made = self._until_answered(lambda: sending.send(self._root))
        self._cases.append(_Case(made["case_number"], made["pin"], values))
        with self._lock:
            self._told.saved.update(values)
            self._told.cases += 1

    def _withdraw(self, case: _Case) -> None:
        def send() -> None:
            with sign_in(self._root, case.number, case.pin) as page:
                withdraw_all(self._root, page)

        self._until_answered(send)
        with self._lock:
            self._told.withdrawn.update(case.values)

    def _until_answered(self, send: Callable[[], Answer]) -> Answer:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return send()
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
                with self._lock:
                    self._told.sent_again += 1
                time.sleep(_PAUSE)


def _checked(answer: requests.Response, status: int) -> requests.Response:
    """Raises ``RequestException`` where the bank could not answer just now, ``RuntimeError`` for any other answer."""
    if answer.status_code >= 500:
        raise requests.RequestException(f"the bank answered {answer.status_code}")
    if answer.status_code != status:
        raise RuntimeError(f"the bank answered {answer.status_code}: {answer.text[:300]}")
    return answer


def _an_address() -> str:
    """Of another network each time, as persons are."""
    return f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}"
