"""What an attacker tries on a platform's site, and what comes of it."""

from __future__ import annotations

import io
import struct
import uuid
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from reclaim.platform.inbox import body
from reclaim.platform.inbox.models import Match, Upload
from tests.site.platform.world import ASTRONAUT, PlatformApi, bank_has, edited

pytestmark = pytest.mark.django_db


def png_bomb() -> bytes:
    """30,000 × 30,000 black pixels in about 100 kB."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer = zlib.compressobj(9)
    row = bytes(1 + 30_000 // 8)
    pixels = b"".join(packer.compress(row) for _ in range(30_000)) + packer.flush()
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def gif_with_script() -> bytes:
    return b"GIF89a/*\x00\x00\x00\x00*/=1;alert(document.cookie)//"


HOSTILE = {
    "nothing": (b"", 422),
    "text": (b"<html><script>alert(1)</script></html>", 422),
    "a picture cut short": (ASTRONAUT.read_bytes()[:4000], 422),
    "a header alone": (ASTRONAUT.read_bytes()[:20], 422),
    "a decompression bomb": (png_bomb(), 413),
    "a script that begins as a GIF": (gif_with_script(), 422),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>', 422),
    "a PostScript program": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n", 422),
    "a zip": (b"PK\x03\x04" + bytes(100), 422),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_upload_is_refused_with_a_clear_answer_and_leaves_nothing(
    api: PlatformApi, data_folder: Path, what: str
) -> None:
    data, status = HOSTILE[what]
    answer = api.upload(data)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"].endswith(".")  # type: ignore[attr-defined]
    assert Upload.objects.count() == 0
    assert not (data_folder / "uploads").exists()


def test_a_picture_that_is_a_script_too_is_matched_and_never_served(api: PlatformApi, reviewer: Client) -> None:
    bank_has(ASTRONAUT)
    polyglot = edited(ASTRONAUT) + b"\xff\xfe<script>alert(document.domain)</script>"
    match = api.uploaded(polyglot)["matches"][0]["match"]
    for query in ("", "?shown=1"):
        answer = reviewer.get(f"/matches/{match}/picture{query}")
        assert answer["Content-Type"] == "image/jpeg"
        assert b"script" not in answer.content
        with Image.open(io.BytesIO(answer.content)) as image:
            image.load()
            assert image.format == "JPEG"


def test_an_upload_of_300_mb_is_refused_before_it_is_held_in_memory(api: PlatformApi) -> None:
    class Endless(io.RawIOBase):
        """300 MB that do not exist, and the most that was asked for at once."""

        left, largest = 300 * 1024 * 1024, 0

        def read(self, size: int = -1) -> bytes:
            self.largest = max(self.largest, self.left if size < 0 else size)
            piece = bytes(min(self.left, size if size >= 0 else self.left))
            self.left -= len(piece)
            return piece

    stream = Endless()
    answer = api.client.generic(
        "POST",
        "/api/uploads",
        content_type="image/jpeg",
        headers=api.headers,
        **{"wsgi.input": stream, "CONTENT_LENGTH": str(stream.left)},
    )
    assert answer.status_code == 413
    assert stream.left == 0
    assert stream.largest <= 1024 * 1024


def test_a_form_that_is_larger_than_a_picture_may_be_is_refused(
    api: PlatformApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "MAX_UPLOAD", 100_000)
    form: dict[str, Any] = {"file": io.BytesIO(bytes(100_001))}
    assert api.client.post("/api/uploads", form, headers=api.headers).status_code == 413
    form = {"file": io.BytesIO(bytes(1_000_000))}
    assert api.client.post("/api/uploads", form, headers=api.headers).status_code == 413


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        ("multipart/form-data; boundary=" + "x" * 300, b""),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"; filename=".."\r\n\r\nabc\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n!!!!\r\n--x--\r\n",
        ),
        (
            "multipart/form-data; boundary=x",
            b"".join(
                b'--x\r\nContent-Disposition: form-data; name="a"; filename="%d"\r\n\r\nabc\r\n' % number
                for number in range(150)
            )
            + b"--x--\r\n",
        ),
    ],
)
def test_a_broken_form_is_refused_with_a_clear_answer(api: PlatformApi, content_type: str, data: bytes) -> None:
    answer = api.upload(data, content_type)
    assert answer.status_code in (400, 422)
    assert answer["Content-Type"] == "application/problem+json"


def test_an_upload_that_hides_its_length_is_refused(api: PlatformApi) -> None:
    answer = api.client.post(
        "/api/uploads", b"x", content_type="image/jpeg", headers={**api.headers, "Transfer-Encoding": "chunked"}
    )
    assert answer.status_code == 411


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer ",
        "Bearer reclaim_upload_guessed",
        "Basic YTpi",
        "Bearer " + "a" * 5000,
        "bearer\x00",
        "Bearer é",
    ],
)
def test_a_wrong_upload_key_opens_nothing(api: PlatformApi, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path in (
        ("post", "/api/uploads"),
        ("get", "/api/matches"),
        ("get", f"/api/uploads/{uuid.uuid4()}"),
        ("post", f"/api/matches/{uuid.uuid4()}/decision"),
    ):
        answer = getattr(Client(), method)(path, headers=headers)
        assert answer.status_code == 401, path
        assert answer["WWW-Authenticate"] == "Bearer"


def test_the_upload_key_opens_no_review_page(api: PlatformApi) -> None:
    bank_has(ASTRONAUT)
    match = api.uploaded(edited(ASTRONAUT))["matches"][0]["match"]
    for path in ("/", f"/matches/{match}/", f"/matches/{match}/picture", f"/matches/{match}/picture?shown=1"):
        assert api.client.get(path, headers=api.headers).status_code == 401
    assert (
        api.client.post(f"/matches/{match}/decision", {"decision": "blocked"}, headers=api.headers).status_code == 401
    )


def test_a_reviewers_session_opens_no_api(reviewer: Client) -> None:
    assert reviewer.get("/api/matches").status_code == 401


def test_a_picture_whose_number_was_guessed_is_refused_without_sign_in(api: PlatformApi) -> None:
    bank_has(ASTRONAUT)
    match = api.uploaded(edited(ASTRONAUT))["matches"][0]["match"]
    as_browser = {"Accept": "text/html"}
    for path in (f"/matches/{match}/picture", f"/matches/{match}/picture?shown=1"):
        assert Client().get(path).status_code == 401
        assert Client().get(path, headers=as_browser)["Location"] == "/sign-in/"
        assert b"\xff\xd8" not in Client().get(path).content


@pytest.mark.parametrize("number", ["1", "..", "%2e%2e%2fbank.json", "..%2fsecret.key", "' OR 1=1 --", "a" * 500])
def test_a_number_that_is_none_leads_nowhere(api: PlatformApi, reviewer: Client, number: str) -> None:
    for path in (f"/matches/{number}/", f"/matches/{number}/picture?shown=1"):
        assert reviewer.get(path).status_code == 404
    assert api.client.get(f"/api/uploads/{number}", headers=api.headers).status_code == 404
    assert api.decide(number, "blocked").status_code == 404


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"[]",
        b"{",
        b'{"decision":"blocked"}',
        b'{"decision":"maybe","reviewer":"Ada"}',
        b'{"decision":"blocked","reviewer":""}',
        b'{"decision":"blocked","reviewer":"Ada\\u0000"}',
        b'{"decision":"blocked","reviewer":"Ada","note":"\\u0000"}',
        b'{"decision":"blocked","reviewer":"Ada\\ud800"}',
        b'{"decision":"blocked","reviewer":"Ada","upload":"1"}',
        b'{"decision":"blocked","reviewer":"' + b"a" * 81 + b'"}',
        b'{"decision":"blocked","reviewer":"Ada","note":"' + b"a" * 501 + b'"}',
        b'{"decision":"blocked","reviewer":"Ada","note":"' + b"a" * 2_000_000 + b'"}',
    ],
)
def test_a_decision_that_does_not_fit_is_refused_and_decides_nothing(api: PlatformApi, message: bytes) -> None:
    bank_has(ASTRONAUT)
    match = api.uploaded(edited(ASTRONAUT))["matches"][0]["match"]
    answer = api.client.post(
        f"/api/matches/{match}/decision", message, content_type="application/json", headers=api.headers
    )
    assert answer.status_code == (413 if len(message) > 1024 * 1024 else 400)
    assert answer["Content-Type"] == "application/problem+json"
    assert Match.objects.get().status == "open"


def test_another_sites_page_cannot_decide_in_a_reviewers_name(api: PlatformApi, reviewer: Client) -> None:
    bank_has(ASTRONAUT)
    match = api.uploaded(edited(ASTRONAUT))["matches"][0]["match"]
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        answer = reviewer.post(f"/matches/{match}/decision", {"decision": "blocked"}, headers=headers)
        assert answer.status_code == 403
    assert Match.objects.get().status == "open"
