"""``reclaim match video``, from files to an index to an answer."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from bench import clips
from reclaim.cli import main
from reclaim.cli.exits import Exit

PHOTOS = clips.photographs()


def test_a_part_of_a_film_is_found_in_what_reclaim_hash_printed_of_it(tmp_path: Path) -> None:
    frames = list(clips.film(PHOTOS[:3], 4.0))
    film = clips.write(tmp_path / "film.mp4", frames)
    part = clips.write(tmp_path / "part.mkv", frames[20:], options=clips.COPY_OPTIONS)
    other = clips.write(tmp_path / "other.mp4", clips.film(PHOTOS[8:9], 2.0))
    (tmp_path / "letter.mp4").write_bytes(b"no film")

    printed = CliRunner().invoke(main, ["hash", "--type", "video", "--json", str(film)]).stdout
    (tmp_path / "signals.jsonl").write_text(printed)
    index = str(tmp_path / "indexes")
    assert CliRunner().invoke(main, ["index", "build", str(tmp_path / "signals.jsonl"), "--out", index]).exit_code == 0

    files = [str(part), str(other), str(tmp_path / "letter.mp4")]
    done = CliRunner().invoke(main, ["match", "video", *files, "--index", index, "--json"])
    assert done.exit_code == Exit.NOT_A_VIDEO
    found, nothing, error = (json.loads(line) for line in done.stdout.splitlines())
    assert (found["matches"][0]["id"], found["matches"][0]["relation"]["how"], found["file"]) == (1, "same", str(part))
    assert (nothing["action"], nothing["matches"]) == ("none", [])
    assert "no video" in error["error"]
    said = CliRunner().invoke(main, ["match", "video", str(part), "--index", index]).stdout
    assert " of the known video is in this upload." in said

    out_of_order = ["--hold-percent", "5", "--review-percent", "10"]
    assert CliRunner().invoke(main, ["match", "video", str(part), "--index", index, *out_of_order]).exit_code == 2
