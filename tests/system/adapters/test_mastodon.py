"""The adapter for Mastodon, over a real review site; mastodon_server.py says what stands in for Mastodon."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reclaim.adapters.start import check
from tests.system.adapters.adapter import Adapter, decide, until
from tests.system.adapters.mastodon_server import TOKEN, mastodon
from tests.system.platform.site import Platform

SECRET = "0123456789abcdef0123456789abcdef01234567"


def post(account: str, number: str, *urls: str, kind: str = "image") -> dict[str, Any]:
    """The body of a webhook, with the fields of a real one that matter and some that do not."""
    media = [
        {"id": f"{number}{place}", "type": kind, "url": url, "preview_url": url, "remote_url": None, "meta": {}}
        for place, url in enumerate(urls)
    ]
    return {
        "event": "status.created",
        "created_at": "2026-11-26T08:00:00.000Z",
        "object": {
            "id": number,
            "visibility": "private",
            "content": "<p>hello</p>",
            "account": {"id": account, "username": "somebody", "acct": "somebody"},
            "media_attachments": media,
        },
    }


def signed(adapter: Adapter, content: Any, secret: str = SECRET) -> int:
    """Send it as Mastodon does; the status of the answer."""
    body = json.dumps(content).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature": f"sha256={signature}"}
    return adapter.call("/mastodon", body, **headers).status


def connected(folder: Path, site: Platform, port: int, *changes: tuple[str, str]) -> Adapter:
    adapter = Adapter(
        "mastodon",
        folder,
        site,
        ("https://social.example", f"http://127.0.0.1:{port}"),
        ('"files.social.example"', f'"127.0.0.1:{port}"'),
        ("media_in_private_network = false", "media_in_private_network = true"),
        *changes,
    )
    adapter.write("webhook.secret", SECRET)
    adapter.write("token.secret", TOKEN)
    return adapter


def test_a_post_is_covered_and_reported_and_the_account_suspended_or_given_back_with_the_decision(
    review_site: Platform, running: list[Adapter], tmp_path: Path, known: Callable[[int], bytes], harmless: bytes
) -> None:
    with mastodon() as (world, port):
        adapter = connected(tmp_path / "adapter", review_site, port)
        running.append(adapter)
        url = f"http://127.0.0.1:{port}/media/"
        world.media = {"/media/a.jpg": known(3), "/media/cat.jpg": harmless, "/media/me.jpg": known(4)}
        for number in ("11", "12"):
            world.account(number)
        world.report("11", "a person's own report")
        check(adapter.config)
        adapter.start()

        event = post("11", "901", f"{url}cat.jpg", f"{url}a.jpg")
        assert signed(adapter, event) == 204
        until(lambda: world.said == ["11 sensitive", "11 report 901"])
        assert world.accounts["11"]["sensitized"] is True
        # Mastodon resolved it with our measure; it is open again.
        assert "a person's own report" in world.open_reports("11")
        # The same again, as Mastodon's own retries are, and as somebody would who had recorded it.
        assert [signed(adapter, event) for _ in range(3)] == [204] * 3
        adapter.kill()
        adapter.start()
        decide(review_site, "not-blocked")
        until(lambda: world.said[2:] == ["11 unsensitive"])
        until(lambda: world.open_reports("11") == ["a person's own report"])

        profile = {"event": "account.updated", "created_at": "2026-11-26T08:00:00.000Z"}
        pictures = {"id": "12", "avatar": f"{url}me.jpg", "header": f"{url}headers/original/missing.png"}
        assert signed(adapter, {**profile, "object": {"id": "12", "account": pictures}}) == 204
        until(lambda: world.said[3:] == ["12 sensitive", "12 report -"])
        decide(review_site, "blocked")
        until(lambda: world.said[5:] == ["12 suspend", "12 unsensitive"])
        until(lambda: adapter.count("waiting") == 0)
        assert world.accounts["12"]["suspended"] is True
        assert world.open_reports("12") == []
