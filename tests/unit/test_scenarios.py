"""Scenarios of the training as files: what is wrong with one is said in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from reclaim.bank.training import scenarios
from reclaim.cli import main
from reclaim.cli.exits import Exit
from tests.training import english_texts

ROOT = Path(__file__).parents[2]


def test_every_document_that_a_scenario_names_is_there() -> None:
    for scenario in scenarios.english().values():
        assert all((ROOT / at).is_file() for _, at in scenario.read), scenario.key
        assert scenario.read, scenario.key
    named = {key for track in scenarios.tracks().values() for key in track.scenarios}
    assert named == set(scenarios.english())


def test_a_translation_without_a_fault_is_whole(tmp_path: Path) -> None:
    assert scenarios.check(english_texts(tmp_path / "de")) == []
    assert scenarios.check() == []


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('reason = "It draws', 'grund = "It draws', "step «route», choice «comment»: «grund» means nothing here."),
        ("{link}", "dort", "«situation» has lost {link}. Put it where the name or address belongs."),
        ('key = "host-now"', 'key = "Host jetzt"', "step «relisted»: The choice «host-now» is missing."),
        ('title = "Whom to ask first"', 'title = ""', "step «route»: «title» is missing. Write it."),
        ('key = "again"', 'key = "again"\npoints = 3', "choice «again»: «points» means nothing here. Take it out."),
        ('title = "It is', "title = It is", "It is not TOML:"),
        ("Ana, 41", "Ana {name}, 41", "«situation» has {name}, for which there is nothing."),
        ("Ana, 41", "Ana\\u001b[31m, 41", "«situation» has a control character in it. Type it anew."),
    ],
)
def test_a_fault_in_a_translated_file_is_said_in_a_sentence(
    tmp_path: Path, before: str, after: str, sentence: str
) -> None:
    own = english_texts(tmp_path / "de")
    file = own / "shared.toml"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after, 1))
    found = scenarios.check(own)
    assert any(each.startswith("shared.toml") and sentence in each for each in found), found
    assert all(each.isprintable() for each in found)


def test_a_missing_and_an_unknown_file_are_named(tmp_path: Path) -> None:
    own = english_texts(tmp_path / "de")
    (own / "shared.toml").rename(own / "geteilt.toml")
    found = scenarios.check(own)
    assert "geteilt.toml: There is no English scenario of this name. Name the file as the English one." in found
    assert "shared.toml: The file is missing. Copy the English one, and translate it." in found


def test_a_folder_of_scenarios_is_checked_at_the_command_line(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["bank", "sandbox", "check"]).stdout == "All scenarios are whole.\n"
    (tmp_path / "shared.toml").write_text("title = ")
    checked = CliRunner().invoke(main, ["bank", "sandbox", "check", str(tmp_path)])
    assert checked.exit_code == Exit.ERROR
    assert "shared.toml: It is not TOML" in checked.stderr
