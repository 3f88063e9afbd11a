"""A module for Synapse that has the Reclaim adapter look at each picture and video before it is stored.

This one file needs nothing but Synapse. docs/platforms/matrix.md says where it belongs.
"""

import io
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synapse.module_api import NOT_SPAM, ModuleApi
from synapse.module_api.errors import Codes, ConfigError
from twisted.web.http_headers import Headers

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What stands below ``config`` in homeserver.yaml."""

    url: str
    secret: str
    allow_when_away: bool


class ReclaimMediaCheck:
    """Refuses what is held, what is blocked, and, unless told otherwise, what could not be looked up."""

    def __init__(self, config: Settings, api: ModuleApi) -> None:
        self._settings = config
        self._api = api
        api.register_spam_checker_callbacks(check_media_file_for_spam=self.check)

    @staticmethod
    def parse_config(config: dict[str, Any]) -> Settings:
        """Read the settings. Raises ``ConfigError``."""
        unknown = config.keys() - {"address", "secret_file", "when_away"}
        if unknown or config.get("when_away", "refuse") not in ("refuse", "allow"):
            raise ConfigError("Reclaim takes address, secret_file, and when_away: refuse or allow.")
        try:
            secret = Path(config["secret_file"]).read_text(encoding="utf-8").strip()
            address = str(config["address"]).rstrip("/")
        except (KeyError, OSError):
            raise ConfigError("Reclaim needs address, and a secret_file that Synapse may read.") from None
        return Settings(f"{address}/matrix/check", secret, config.get("when_away") == "allow")

    async def check(self, file_wrapper: Any, file_info: Any) -> Any:
        """Ask about one file. A thumbnail is made of one that was asked about before."""
        if file_info.thumbnail:
            return NOT_SPAM
        content = io.BytesIO()
        await file_wrapper.write_chunks_to(content.write)
        headers = Headers({b"Authorization": [b"Bearer " + self._settings.secret.encode()]})
        try:
            response = await self._api.http_client.request(
                "POST", self._settings.url, data=content.getvalue(), headers=headers
            )
            said = json.loads(await _body(response))
            let_through = said.get("let_through") is True
            if response.code != 200:
                raise ValueError
        except Exception as error:
            # Its words may hold an address; its kind does not.
            log.warning("the Reclaim adapter could not be asked: %s", type(error).__name__)
            let_through = self._settings.allow_when_away
        return NOT_SPAM if let_through else Codes.FORBIDDEN


async def _body(response: Any) -> bytes:
    from twisted.web.client import readBody

    body: bytes = await readBody(response)
    return body
