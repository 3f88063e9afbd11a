"""`reclaim loop` and `reclaim demo`, as a person at a terminal runs them."""

from __future__ import annotations

import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import urllib3
from click.testing import CliRunner
from PIL import Image, UnidentifiedImageError

from reclaim.cli.address import free_port
from reclaim.cli.edits import EDITS, edited_copy
from reclaim.cli.exits import Exit
from reclaim.cli.loop import command as loop_command
from reclaim.signals import MATCH_DISTANCE, fingerprint, hamming, pdq_of_turns, read_luma
from tests.conftest import secrets_in

RECLAIM = [sys.executable, "-m", "reclaim"]
PHOTO = Path("tests/photos/pagoda.jpg")


def loop(*arguments: str | Path) -> tuple[int, dict[str, object], str]:
    done = subprocess.run(
        [*RECLAIM, "loop", "--json", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("edit", ["filter", "flip"])
def test_the_whole_loop_passes_with_a_copy_edited_by(edit: str) -> None:
    code, report, _ = loop("--image", PHOTO, "--edit", edit)
    assert code == Exit.OK, report
    assert report["ok"] is True
    steps = report["steps"]
    assert isinstance(steps, list)
    assert [step["name"] for step in steps] == [
        "fingerprint",
        "vet the platform",
        "case",
        "sync",
        "match",
        "decision",
        "feedback",
        "case page",
        "withdrawal",
        "tombstone",
        "platform deletes",
        "no longer matches",
        "value erased",
    ]
    assert all(step["ok"] and step["seconds"] >= 0 and step["detail"] for step in steps)


def test_without_a_picture_it_takes_the_one_it_carries() -> None:
    code, report, said = loop()
    assert (code, report["ok"]) == (Exit.OK, True)
    assert not secrets_in(said)


def test_a_crop_is_not_found_and_the_loop_says_so_with_a_code_of_its_own() -> None:
    code, report, _ = loop("--image", PHOTO, "--edit", "crop10")
    assert code == Exit.EDIT_NOT_FOUND
    assert report["ok"] is False
    steps = {step["name"]: step for step in report["steps"]}  # type: ignore[attr-defined]
    assert steps["match"]["ok"] is False
    assert "crop10" in steps["match"]["detail"]
    assert steps["value erased"]["ok"] is True


def bomb() -> bytes:
    """A PNG of 30,000 × 30,000 pixels in about 900 kB."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    size = 30_000
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + size)) for _ in range(size)) + packer.flush()
    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def grey_square() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (600, 600), (128, 128, 128)).save(out, "PNG")
    return out.getvalue()


def photo_as(form: str) -> bytes:
    """The photograph as a file of that kind."""
    out = io.BytesIO()
    with Image.open(PHOTO) as image:
        photo = image.convert("RGB")
    if form == "HEIC":
        pillow_heif.from_pillow(photo).save(out)
    elif form == "PNG of 16-bit grey":
        Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) << 8).save(out, "PNG")
    elif form == "PNG of a palette with alpha":
        photo.quantize().save(out, "PNG", transparency=bytes([255] * 255 + [0]))
    elif form == "TIFF of CMYK":
        photo.convert("CMYK").save(out, "TIFF")
    else:
        photo.save(out, form)
    return out.getvalue()


@pytest.mark.parametrize(
    "form", ["HEIC", "AVIF", "WEBP", "PNG of 16-bit grey", "TIFF of CMYK", "PNG of a palette with alpha"]
)
@pytest.mark.parametrize("edit", [edit for edit in EDITS if edit != "crop10"])
def test_the_edited_copy_of_any_picture_is_found_by_its_signal(form: str, edit: str, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(photo_as(form))
    wanted = fingerprint(path).pdq
    copies = pdq_of_turns(read_luma(edited_copy(path, edit)))
    assert min(hamming(wanted, copy.value) for copy in copies.values()) <= MATCH_DISTANCE


def test_a_telephone_s_heic_goes_the_whole_loop(tmp_path: Path) -> None:
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(photo_as("HEIC"))
    code, report, said = loop("--image", path)
    assert (code, report["ok"]) == (Exit.OK, True), said


@pytest.mark.parametrize(
    "surprise", [RuntimeError("a secret"), UnidentifiedImageError("a secret"), OSError("a secret")]
)
def test_a_surprise_in_a_step_ends_the_loop_with_one_sentence(
    surprise: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_it(_: Path) -> None:
        raise surprise

    monkeypatch.setattr("reclaim.cli.loop.fingerprint", raise_it)
    done = CliRunner().invoke(loop_command, ["--image", str(PHOTO), "--json"])
    assert done.exit_code == Exit.LOOP_STEP_FAILED
    report = json.loads(done.stdout)
    assert [(step["name"], step["ok"]) for step in report["steps"]] == [("fingerprint", False)]
    assert report["error"] == report["steps"][0]["detail"]
    assert report["error"].endswith(".")
    assert "secret" not in done.output


def test_a_surprise_between_steps_ends_the_loop_with_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_port() -> int:
        raise OSError("a secret")

    monkeypatch.setattr("reclaim.cli.loop.free_port", no_port)
    done = CliRunner().invoke(loop_command, ["--image", str(PHOTO)])
    assert done.exit_code == Exit.LOOP_STEP_FAILED
    assert done.stderr == "The loop stopped unexpectedly (OSError).\n"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"This is a letter, not a picture.\n" * 50, Exit.NOT_A_PICTURE),
        (b"", Exit.EMPTY_FILE),
        (PHOTO.read_bytes()[:-5000], Exit.TRUNCATED),
        (bomb(), Exit.TOO_LARGE),
        (grey_square(), Exit.POOR_SIGNAL),
        (None, Exit.FILE_NOT_FOUND),
    ],
    ids=["not a picture", "empty", "truncated", "bomb", "grey square", "missing"],
)
def test_a_bad_picture_ends_with_one_clear_sentence_and_a_code(
    content: bytes | None, code: Exit, tmp_path: Path
) -> None:
    path = tmp_path / "private name.jpg"
    if content is not None:
        path.write_bytes(content)
    done = subprocess.run(
        [*RECLAIM, "loop", "--image", str(path), "--json"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == code
    report = json.loads(done.stdout)
    assert report["ok"] is False
    assert report["error"].endswith(".")
    assert "Traceback" not in done.stderr
    assert [step["ok"] for step in report["steps"]] == [False]


def test_the_demo_serves_both_sites_and_stops_cleanly_on_ctrl_c(tmp_path: Path) -> None:
    bank, platform = free_port(), free_port()
    process = subprocess.Popen(
        [*RECLAIM, "demo", "--bank-port", str(bank), "--platform-port", str(platform)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        wait_for(f"http://127.0.0.1:{bank}/")
        wait_for(f"http://127.0.0.1:{platform}/")
        time.sleep(0.5)
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=40)
    assert process.returncode == 0, said
    assert "Try the loop" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def wait_for(url: str) -> None:
    for _ in range(300):
        try:
            assert urllib3.request("GET", url, retries=False, redirect=False).status < 500
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} did not answer")
