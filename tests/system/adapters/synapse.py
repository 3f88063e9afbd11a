"""A real Synapse with our module in it, and a person who uploads there."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import urllib3

from tests.system.adapters.adapter import Adapter, answers, free_port, until
from tests.system.environment import plain_environment

_CONFIG = """
server_name: matrix.example
pid_file: {folder}/pid
media_store_path: {folder}/media
signing_key_path: {folder}/signing.key
log_config: {folder}/log.yaml
report_stats: false
trusted_key_servers: []
enable_registration: true
enable_registration_without_verification: true
macaroon_secret_key: {secret}
form_secret: {secret}
database: {{name: sqlite3, args: {{database: "{folder}/synapse.db"}}}}
listeners:
  - {{port: {port}, bind_addresses: ["127.0.0.1"], type: http, resources: [{{names: [client]}}]}}
rc_registration: {{per_second: 1000, burst_count: 1000}}
modules:
  - module: reclaim_synapse.ReclaimMediaCheck
    config:
      address: http://127.0.0.1:{adapter_port}
      secret_file: {secret_file}
"""
_LOG = """
version: 1
disable_existing_loggers: false
formatters: {plain: {format: "%(name)s %(message)s"}}
handlers: {err: {class: logging.StreamHandler, formatter: plain}}
root: {level: WARNING, handlers: [err]}
"""


class Synapse:
    """One homeserver in a process of its own."""

    def __init__(self, folder: Path, adapter: Adapter) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self.token = ""
        seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        (folder / "signing.key").write_text(f"ed25519 a_test {seed}\n")
        (folder / "log.yaml").write_text(_LOG)
        text = _CONFIG.format(
            folder=folder,
            port=self.port,
            adapter_port=adapter.port,
            secret=secrets.token_hex(16),
            secret_file=adapter.folder / "adapter.secret",
        )
        (folder / "homeserver.yaml").write_text(text)
        # «init» wrote the module there.
        environment = plain_environment(PYTHONPATH=f"{adapter.folder}:{os.environ.get('PYTHONPATH', '')}")
        command = [sys.executable, "-m", "synapse.app.homeserver", "-c", str(folder / "homeserver.yaml")]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def _call(self, path: str, **how: Any) -> urllib3.BaseHTTPResponse:
        return urllib3.request("POST", f"http://127.0.0.1:{self.port}/_matrix/{path}", retries=False, timeout=60, **how)

    def wait(self) -> None:
        """Until it answers and somebody has an account."""
        until(lambda: self._process.poll() is not None or answers(self.port), 60)
        assert self._process.poll() is None, self.log
        about = {"username": "ada", "password": secrets.token_hex(16), "auth": {"type": "m.login.dummy"}}
        answer = self._call("client/v3/register", json=about)
        assert answer.status == 200, answer.data
        self.token = answer.json()["access_token"]

    def upload(self, data: bytes, kind: str = "image/jpeg") -> tuple[int, str]:
        """The status, and the media's address or the word for why not."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        answer = self._call("media/v3/upload", body=data, headers=headers)
        said = answer.json()
        return answer.status, said.get("content_uri") or said["errcode"]

    def stored(self) -> int:
        """How many files it keeps, thumbnails apart."""
        return sum(1 for path in (self.folder / "media/local_content").rglob("*") if path.is_file())

    def stop(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
