"""The recovery key at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from django.test import Client

from reclaim.bank.casework.models import Channel
from reclaim.bank.casework.services import open_case_file
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.vault import people, services
from reclaim.cli import main
from reclaim.cli.exits import Exit
from reclaim.sitekit.models import AuditEvent
from tests.members import practitioner
from tests.personas import ActingOrganisation

pytestmark = pytest.mark.django_db


def test_the_key_on_paper_is_made_once_and_opens_case_files_for_a_practitioner(tmp_path: Path) -> None:
    def run(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(main, ["bank", "recovery-key", *arguments, "--data", str(tmp_path)], input=typed)

    paper = json.loads(run("make", "--json").stdout)["recovery_key"]
    assert run("make").exit_code == Exit.NAME_TAKEN
    home = ActingOrganisation.let_in().practitioner
    case_file = open_case_file(home, Channel.PHONE)
    new = practitioner(Client(), home.organisation, scope=Practitioner.Scope.ORGANISATION, name="Bea")
    assert services.readable(people.name_of(new), [case_file.pk]) == set()
    assert run("share", "--to", "Bea", typed="not the key\n").exit_code == Exit.USAGE
    assert run("share", "--to", "Nobody", typed=paper).exit_code == Exit.ERROR
    done = run("share", "--to", "Bea", typed=f"{paper}\n")
    assert (done.exit_code, done.stdout) == (0, "«Bea» can open 1 more of 1 case files.\n")
    assert services.readable(people.name_of(new), [case_file.pk]) == {case_file.pk}
    assert set(AuditEvent.objects.filter(actor="operator").values_list("action", flat=True)) >= {
        "recovery_key.make",
        "keys.share",
    }
    other = json.loads(run("make", "--replace", "--json").stdout)["recovery_key"]
    practitioner(Client(), home.organisation, scope=Practitioner.Scope.ORGANISATION, name="Cleo")
    # The new one opens what is made from now on, and the first one alone what was made before.
    assert "can open 0 more of 1" in run("share", "--to", "Cleo", typed=other).stdout
    assert "can open 1 more of 1" in run("share", "--to", "Cleo", typed=paper).stdout
