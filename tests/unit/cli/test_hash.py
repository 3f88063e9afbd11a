"""`reclaim hash`, as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from bench import clips
from reclaim.cli.exits import Exit
from reclaim.signals import errors, fingerprint, frames_text, md5_of
from reclaim.signals.video import read_frames

PHOTOS = Path(__file__).parents[2] / "photos"
CAT = PHOTOS / "cat.jpg"


def run(*arguments, cwd=None):
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "import reclaim.cli; reclaim.cli.main()", "hash", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        timeout=120,
        check=False,
    )


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_one_file_prints_its_signal():
    done = run(CAT)
    expected = fingerprint(CAT)
    assert done.returncode == Exit.OK
    assert done.stdout.split() == [expected.pdq, str(expected.quality), str(CAT)]
    assert done.stderr == ""


def test_json_is_one_object_a_line_in_the_order_asked(tmp_path):
    missing = tmp_path / "missing.jpg"
    photos = [CAT, PHOTOS / "bee.jpg", missing, PHOTOS / "drum.jpg"]
    done = run("--json", "--jobs", 2, *photos)
    assert done.returncode == Exit.FILE_NOT_FOUND
    answers = lines(done)
    assert [answer["file"] for answer in answers] == [str(photo) for photo in photos]
    assert answers[0] == {"file": str(CAT), "type": "pdq", "value": fingerprint(CAT).pdq, "quality": 100}
    assert answers[2] == {"file": str(missing), "error": errors.UnreadableFile.sentence}
    assert "value" in answers[3]


def test_a_folder_is_the_visible_files_in_it(tmp_path):
    for name in ("b.jpg", "a.jpg", ".hidden.jpg"):
        (tmp_path / name).write_bytes(CAT.read_bytes())
    (tmp_path / "deeper").mkdir()
    assert [Path(answer["file"]).name for answer in lines(run("--json", tmp_path))] == ["a.jpg", "b.jpg"]


def test_an_empty_folder_is_an_error_and_not_silence(tmp_path):
    done = run("--json", tmp_path)
    assert done.returncode == Exit.FILE_NOT_FOUND
    assert lines(done) == [{"file": str(tmp_path), "error": errors.UnreadableFile.sentence}]


def test_md5_is_of_the_bytes():
    assert lines(run("--json", "--type", "md5", CAT)) == [
        {"file": str(CAT), "type": "md5", "value": md5_of(CAT), "quality": None}
    ]
    assert run("--type", "md5", CAT).stdout.split() == [md5_of(CAT), str(CAT)]


def bad_files(folder):
    """One file for each error a file can have."""
    photo = CAT.read_bytes()
    bomb = bytearray(photo)
    start = bomb.index(b"\xff\xc0")
    bomb[start + 5 : start + 9] = b"\xff\xff\xff\xff"
    contents = {
        Exit.NOT_A_PICTURE: b"a letter",
        Exit.EMPTY_FILE: b"",
        Exit.TRUNCATED: photo[: len(photo) // 2],
        Exit.TOO_LARGE: bytes(bomb),
    }
    paths = {code: folder / f"bad{code}.jpg" for code in contents}
    for code, path in paths.items():
        path.write_bytes(contents[code])
    return {**paths, Exit.FILE_NOT_FOUND: folder / "missing.jpg"}


def test_each_bad_file_ends_with_its_own_code_and_one_sentence(tmp_path):
    for code, path in bad_files(tmp_path).items():
        done = run(path)
        assert done.returncode == code
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith(f"{path}: ")
        assert "Traceback" not in done.stderr


def test_different_errors_end_with_the_general_code_and_good_files_are_answered(tmp_path):
    done = run("--json", *bad_files(tmp_path).values(), CAT)
    assert done.returncode == Exit.ERROR
    answers = lines(done)
    assert len({answer["error"] for answer in answers[:-1]}) == 5
    assert answers[-1]["value"] == fingerprint(CAT).pdq


def test_the_same_error_twice_keeps_its_code(tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    first.touch()
    second.touch()
    assert run(first, second, CAT).returncode == Exit.EMPTY_FILE


def test_a_video_prints_its_frames_and_the_md5_of_its_bytes(tmp_path):
    film = clips.write(tmp_path / "film.mp4", clips.film(clips.photographs()[:2], 2.0))
    plain = clips.write(tmp_path / "grey.mp4", [Image.new("RGB", clips.SIZE, "grey")] * 5)
    frames = frames_text(read_frames(film))
    done = run("--type", "video", "--json", film, plain)
    assert done.returncode == Exit.OK
    first, second = lines(done)
    assert first == {"file": str(film), "type": "vpdq", "frames": frames, "md5": md5_of(film)}
    assert (second["frames"], second["md5"]) == ([], md5_of(plain))
    assert "only its MD5" in second["note"]
    assert run("--type", "video", film).stdout.splitlines() == [f"{each}  {film}" for each in (md5_of(film), *frames)]
    assert run("--type", "video", CAT).returncode == Exit.NOT_A_VIDEO


def test_a_poor_signal_is_printed_with_a_remark(tmp_path):
    grey = tmp_path / "grey.png"
    Image.new("L", (512, 512), 128).save(grey)
    done = run(grey)
    assert done.returncode == Exit.OK
    assert len(done.stdout.split()[0]) == 64
    assert "poor signal" in done.stderr
    (answer,) = lines(run("--json", grey))
    assert answer["quality"] == 0
    assert "poor signal" in answer["note"]


@pytest.mark.skipif(os.name != "posix", reason="such names exist on POSIX systems only")
def test_a_name_cannot_steer_the_terminal_or_break_the_output(tmp_path):
    steering = tmp_path / "\x1b[2Jred\nline.jpg"
    broken = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.jpg"))
    for path in (steering, broken):
        path.write_bytes(CAT.read_bytes())
        done = run(path)
        assert done.returncode == Exit.OK
        assert "\x1b" not in done.stdout
        assert len(done.stdout.splitlines()) == 1
        assert lines(run("--json", path))[0]["file"] == str(path)


def test_help_shows_an_example_and_the_exit_codes():
    done = run("--help")
    assert done.returncode == Exit.OK
    assert "reclaim hash holiday.jpg" in done.stdout
    assert "12 cut short" in done.stdout


def test_no_file_at_all_is_a_usage_error():
    assert run().returncode == Exit.USAGE
