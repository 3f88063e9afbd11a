"""The column inventory: nobody stores anything of a person without saying how, and what is said to be sealed is."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterator
from importlib.resources import files

import pytest
from django.apps import apps
from django.db import models
from django.test import Client

from reclaim.bank.casework.models import Channel, Outcome
from reclaim.bank.casework.services import Texts, add_note, add_task, close, offer, open_case_file
from reclaim.bank.cooperation.keys import take_part
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.vault import keys, people, services
from tests.members import PASSWORD, practitioner
from tests.personas import ActingOrganisation

APPS = ("organisations", "vault", "cases", "casework", "takedown", "cooperation")
KINDS = {"plain", "sealed", "key", "bank", "others", "mac"}
WORDS = "He says he will come on Friday."


def inventory() -> dict[tuple[str, str, str], tuple[str, str]]:
    data = tomllib.loads((files("reclaim.bank.vault") / "data/columns.toml").read_text())
    return {
        (app, model, column): (kind, why)
        for app, tables in data.items()
        for model, columns in tables.items()
        for column, (kind, why) in columns.items()
    }


def columns() -> Iterator[tuple[tuple[str, str, str], models.Field]]:  # type: ignore[type-arg]
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.local_fields:
                yield (app, model.__name__, field.name), field


def test_every_column_says_how_it_is_stored_and_why() -> None:
    there, said = dict(columns()), inventory()
    assert there.keys() - said.keys() == set(), "Add these to src/reclaim/bank/vault/data/columns.toml."
    assert said.keys() - there.keys() == set(), "Take these out of src/reclaim/bank/vault/data/columns.toml."
    for column, (kind, why) in said.items():
        assert kind in KINDS, column
        assert len(why) > 3, column
        if kind in ("sealed", "key"):
            assert isinstance(there[column], models.BinaryField), column


@pytest.mark.django_db
def test_what_is_said_to_be_sealed_is_an_envelope_after_use() -> None:
    home = ActingOrganisation.let_in().practitioner
    colleague = practitioner(Client(), home.organisation, scope=Practitioner.Scope.ORGANISATION)
    own = services.unlock(people.name_of(home), PASSWORD)
    assert own is not None
    take_part(home)
    for end in (False, True):
        case_file = open_case_file(home, Channel.PHONE, texts=Texts(reach=WORDS, words=WORDS))
        key = services.case_key(own, case_file.pk)
        add_note(case_file, home, key, WORDS)
        add_task(case_file, home, key, WORDS, datetime.date(2030, 1, 1))
        offer(case_file, home, key, WORDS, to=colleague)
        if end:
            close(case_file, home, key, Outcome.values[0], WORDS)  # type: ignore[arg-type]
    said, seen = inventory(), set()
    for column, field in columns():
        stored = field.model._default_manager.values_list(field.name, flat=True)
        for value in stored:
            if isinstance(value, memoryview | bytes):
                assert WORDS.encode() not in bytes(value), column
            elif isinstance(value, str):
                assert WORDS not in value, column
            if said[column][0] == "sealed" and value is not None:
                assert keys.is_envelope(bytes(value)), column
                seen.add(column)
    # Those that casework fills; the tests of cooperation fill the others.
    assert seen >= {column for column, (kind, _) in said.items() if kind == "sealed" and column[0] == "casework"}
