"""The puzzle that a person's page solves in the background."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.browser.person.conftest import Person

# Another page than the one that takes files: nothing else is at work on it.
PAGE = "/start/notes/"
SOLVE = """async () => {
  const { Proof } = await import('/static/person/proof.js');
  window.proof = new Proof('/start/puzzle/');
  proof.start();
  return await proof.payload();
}"""
SEND = """async (proof) => {
  const random = crypto.getRandomValues(new Uint8Array(32));
  const receipt = Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const value = receipt.replace(/./g, (digit) => ({ 0: '3', 1: 'c', 2: '5', 3: 'a' })[parseInt(digit, 16) % 4]);
  const items = [{ kind: 'picture', signals: [{ type: 'pdq', value, quality: 90 }] }];
  const body = JSON.stringify({ receipt, proof, made_with_ai: 'unsaid', items });
  const headers = { 'Content-Type': 'application/json' };
  return (await fetch('/start/case/', { method: 'POST', headers, body })).status;
}"""
HURRY = "const slow = setTimeout; window.setTimeout = (act, ms) => slow(act, Math.min(ms, 20));"


def opened(person: Person, *scripts: str) -> Person:
    for script in scripts:
        person.page.add_init_script(script)
    person.open(PAGE)
    return person


def solves(person: Person) -> Any:
    return person.page.evaluate(SOLVE)


def test_a_puzzle_is_solved_beside_the_page_and_the_bank_takes_its_solution(person: Person) -> None:
    opened(person)
    pauses = """() => {
      window.longest = 0;
      let last = performance.now();
      setInterval(() => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }, 10);
    }"""
    person.page.evaluate(pauses)
    proof = solves(person)
    assert person.page.evaluate("longest") < 500, "the page stood still"
    assert person.page.evaluate("proof.done") == proof
    assert person.page.evaluate(SEND, proof) == 201
    assert set(json.loads(base64.b64decode(proof))["solution"]) == {"counter", "derivedKey"}


NO_MODULE_WORKERS = """
  const Known = Worker;
  window.Worker = class extends Known {
    constructor(url, options) { super(url, options && { ...options, type: 'classic' }); }
  };
"""


@pytest.mark.parametrize(
    "without", ["delete window.Worker", NO_MODULE_WORKERS], ids=["no workers", "no module workers"]
)
def test_an_old_browser_solves_it_on_the_page(person: Person, without: str) -> None:
    opened(person, without)
    proof = solves(person)
    person.faults.clear()
    assert person.page.evaluate(SEND, proof) == 201


def test_a_solution_that_has_grown_old_counts_as_none_and_a_new_one_is_made(person: Person) -> None:
    opened(person)
    first = solves(person)
    person.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 30 * 60 * 1000; }")
    assert person.page.evaluate("proof.done") is None
    second = person.page.evaluate("proof.payload()")
    assert second not in (first, None)
    assert person.page.evaluate("proof.done") == second


def test_starting_again_throws_the_old_one_away_and_whoever_waits_gets_the_new_one(person: Person) -> None:
    opened(person)
    first = solves(person)
    early, late = person.page.evaluate("""() => {
      proof.start();
      const early = proof.payload();
      proof.start();
      return Promise.all([early, proof.payload()]);
    }""")
    assert early == late
    assert late not in (first, None)


def test_without_a_connection_there_is_none_and_with_one_again_there_is(person: Person) -> None:
    opened(person, HURRY)
    person.page.evaluate("import('/static/person/proof.js').then((module) => { window.loaded = module; })")
    person.context.set_offline(True)
    offline = SOLVE.replace("await import('/static/person/proof.js')", "loaded")
    assert person.page.evaluate(offline) is None
    assert person.page.evaluate("proof.done") is None
    person.context.set_offline(False)
    assert person.page.evaluate("proof.payload()")
    # The browser's own words about requests without a connection.
    person.faults.clear()
