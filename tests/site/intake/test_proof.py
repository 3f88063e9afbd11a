"""The published list of files, the worker for work without a connection, and what is compressed."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

import pytest
from django.conf import settings
from django.test import Client

import reclaim
from tests.personas import a_case

pytestmark = pytest.mark.django_db
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def body_of(answer: object) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined,no-any-return]


def test_the_list_names_every_file_with_the_digest_of_what_is_served() -> None:
    told = json.loads(Client().get("/files.json").content)
    assert told["version"] == reclaim.__version__
    there = {path.relative_to(settings.WEB).as_posix(): path for path in settings.WEB.rglob("*") if path.is_file()}
    assert list(told["files"]) == sorted(there)
    for path, file in told["files"].items():
        for accepts in ({}, GZIP):
            answer = Client().get(f"/static/{path}", headers=accepts)
            content = body_of(answer)
            if answer.get("Content-Encoding") == "gzip":
                content = gzip.decompress(content)
            assert file == {
                "digest": "sha256-" + base64.b64encode(hashlib.sha256(content).digest()).decode(),
                "bytes": len(content),
            }


def test_the_list_is_the_same_each_time() -> None:
    assert Client().get("/files.json").content == Client().get("/files.json").content


@pytest.mark.parametrize("prefix", ["", "/ar"])
def test_the_worker_is_served_below_the_page_that_it_answers_for(prefix: str) -> None:
    answer = Client().get(f"{prefix}/start/files/keep.js")
    assert answer.content == (settings.WEB / "keep.js").read_bytes()
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    # Never allowed to answer for more than what is below its own address.
    assert "Service-Worker-Allowed" not in answer


def test_the_page_of_files_names_what_its_script_needs_to_start_and_nothing_that_can_wait() -> None:
    page = Client().get("/start/files/").content.decode()
    named = re.findall(r'<link rel="modulepreload" href="/static/([^"]+)">', page)
    assert {"person/files.js", "hashing/worker.js", "components/kept.js"} <= set(named)
    # It comes when the person asks to try it with the connection off.
    assert "person/offline.js" not in named
    assert not [path for path in named if path.startswith("vendor/") or "video" in path]
    assert len(named) == len(set(named))
    needed = set(named)
    for path in named:
        text = (settings.WEB / path).read_text()
        for imported in re.findall(r"^(?:import|} from) .*?'(\.[^']+)';$", text, re.MULTILINE):
            needed.add(((settings.WEB / path).parent / imported).resolve().relative_to(settings.WEB).as_posix())
    assert needed == set(named)


def test_files_and_public_pages_are_compressed_for_whoever_can_take_it() -> None:
    for path in ("/", "/start/files/", "/static/site.css", "/files.json"):
        packed, plain = Client().get(path, headers=GZIP), Client().get(path)
        assert packed["Content-Encoding"] == "gzip", path
        assert "Content-Encoding" not in plain
        assert "Accept-Encoding" in packed["Vary"]
        assert "Accept-Encoding" in plain["Vary"]
        assert len(body_of(packed)) == int(packed["Content-Length"]) < int(plain["Content-Length"])
        if plain.streaming:
            body_of(plain)


def test_a_file_that_is_known_is_not_sent_again() -> None:
    known = Client().get("/static/site.css", headers=GZIP)
    body_of(known)
    again = Client().get("/static/site.css", headers={**GZIP, "If-None-Match": known["ETag"]})
    assert (again.status_code, body_of(again)) == (304, b"")


def test_nothing_with_a_secret_or_with_what_a_stranger_chose_is_compressed() -> None:
    made = a_case(1)
    client = Client(headers=GZIP)
    answers = [
        client.get("/?stranger=chose"),
        client.get("/case/"),
        client.post("/case/", {"number": "wrong", "pin": "wrong"}),
        client.post("/case/", {"number": made.number, "pin": made.pin}),
        client.get("/case/pictures/"),
        client.get("/case/withdraw/"),
        client.get("/nothing-here/"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 422, 302, 200, 200, 404]
    assert [answer.get("Content-Encoding") for answer in answers] == [None] * len(answers)
