"""A sandbox within the process: what its settings would be, and no way out of the process."""

from __future__ import annotations

import copy
import re
import shutil
import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.test import Client
from pytest_django import Settings

from reclaim.bank.takedown.outside import no_outside
from reclaim.bank.training.models import Group, Sandbox, Trainee
from reclaim.bank.training.queries import TRAINEE_COOKIE, code_of
from reclaim.bank.training.scenarios import DATA, tracks
from reclaim.bank.training.services import join, new_group
from tests.members import OWN_PAGE


def _nobody(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("a sandbox asked somebody")


def make_sandbox(settings: Settings, patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make the site of this test a sandbox. Sockets of this process are closed; a database's client has its own."""
    settings.SANDBOX = True
    settings.ROOT_URLCONF = "reclaim.bank.training.site"
    settings.OUTSIDE = no_outside({}, folder / "outbox")
    settings.MIDDLEWARE = [
        settings.MIDDLEWARE[0],
        "reclaim.bank.training.guard.NothingReal",
        *settings.MIDDLEWARE[1:],
    ]
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["OPTIONS"]["context_processors"].append("reclaim.bank.training.guard.sandbox")
    settings.TEMPLATES = templates
    patch.setattr(socket.socket, "connect", _nobody)
    patch.setattr(socket.socket, "connect_ex", _nobody)
    patch.setattr(socket.socket, "sendto", _nobody)
    patch.setattr(socket, "getaddrinfo", _nobody)
    Sandbox.objects.get_or_create(pk=1)


def trainee(group: Group, nickname: str) -> tuple[Trainee, Client]:
    """Somebody who has joined, and their browser."""
    made, token = join(code_of(group.pk), nickname)
    client = Client(headers=OWN_PAGE)
    client.cookies[TRAINEE_COOKIE] = token
    return made, client


def group_for(scenario: str) -> Group:
    """A new group of a track that has this scenario."""
    track = next(each.key for each in tracks().values() if scenario in each.scenarios)
    return new_group("A morning in the library", track, "en")


def english_texts(own: Path) -> Path:
    """A folder as a translator begins it: the English files without what is no text."""
    shutil.copytree(DATA / "scenarios" / "en", own)
    for file in own.glob("*.toml"):
        text = file.read_text()
        text = re.sub(r"^\[(?:seed|\[read\])\]\n(?:.+\n)*", "", text, flags=re.MULTILINE)
        text = re.sub(r"^(minutes|points|world|opens|laws) = .*\n", "", text, flags=re.MULTILINE)
        file.write_text(text)
    return own
