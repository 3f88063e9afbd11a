"""``reclaim scan`` as an operator runs it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from reclaim.cli.scan import INTERRUPTED
from tests.conftest import secrets_in
from tests.system.scan.command import SCAN, figures, run
from tests.unit.scan.catalogue import rows_of


def test_the_figures_are_those_of_the_rows_and_neither_name_nor_signal_is_printed(
    catalogue: Path, index: Path, tmp_path: Path
) -> None:
    done = run(catalogue, "--index", index, "--out", tmp_path / "out", "--jobs", "2")
    assert done.returncode == 0
    assert done.stdout.startswith("163 files: ")
    assert "1 not a picture" in done.stdout
    assert not done.stderr
    assert ".jpg" not in done.stdout
    assert not secrets_in(done.stdout)
    again = figures(run(catalogue, "--out", tmp_path / "out", "--json"))
    rows = rows_of(tmp_path / "out")
    for status in ("clear", "match", "poor", "error"):
        assert again[status] == sum(row["status"] == status for row in rows)
    assert again["reasons"] == {"empty_file": 1, "not_a_picture": 1, "truncated_picture": 1}
    assert again["files_this_run"] == 0


def test_what_is_missing_is_one_sentence_and_an_exit_code(catalogue: Path, index: Path, tmp_path: Path) -> None:
    for arguments, code in (
        (["nowhere", "--index", index], 15),
        ([catalogue, "--index", tmp_path / "nowhere"], 15),
        ([catalogue], 1),
    ):
        done = run(*arguments, "--out", tmp_path / "out")
        assert done.returncode == code
        assert len(done.stderr.strip().splitlines()) == 1
        assert done.stderr.strip().endswith((".", "--index."))


def _interrupted(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C, again where nothing came of it, as one that falls into a library's own cleaning up is lost; what
    was said."""
    for _ in range(5):
        os.killpg(process.pid, signal.SIGINT)
        try:
            return process.communicate(timeout=4)[1]
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    return process.communicate()[1]


def test_ctrl_c_ends_it_in_one_sentence_and_it_goes_on_later(catalogue: Path, index: Path, tmp_path: Path) -> None:
    # Enough files for one process that the scan is never done before it is interrupted.
    source, copies = tmp_path / "source", 4
    for copy in range(copies):
        shutil.copytree(catalogue, source / str(copy), copy_function=os.link)
    out = tmp_path / "out"
    command = [
        *SCAN,
        str(source),
        "--index",
        str(index),
        "--out",
        str(out),
        "--shard-size",
        "5",
        "--jobs",
        "1",
        "--turns",
        "1",
    ]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Tests that run in the background of a shell have Ctrl-C ignored, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        deadline = time.monotonic() + 60
        while not list(out.glob("results/shard-*")) and time.monotonic() < deadline:
            time.sleep(0.01)
        said = _interrupted(process)
    assert process.returncode == INTERRUPTED
    assert said.strip() == "Interrupted. Run the same command to go on from here."
    assert figures(run(*command[len(SCAN) :], "--json"))["files"] == copies * 163


def test_a_disk_without_room_is_one_sentence(catalogue: Path, index: Path, tmp_path: Path) -> None:
    # No file may grow beyond one block, and the list of names does.
    command = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", *SCAN, str(catalogue), "--index", str(index)]
    done = subprocess.run([*command, "--out", str(tmp_path / "out")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith(
        "The output folder cannot be written: see that it is yours and that the disk has room"
    )


def test_a_machine_without_ray_says_so(catalogue: Path, index: Path, tmp_path: Path) -> None:
    program = "import sys; sys.modules['ray'] = None; from reclaim.cli.scan import command; command()"
    arguments = [str(catalogue), "--index", str(index), "--out", str(tmp_path / "out"), "--engine", "ray"]
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.strip() == "Ray is missing: pip install 'reclaim[ray]', on every machine of the cluster."


def test_help_shows_how() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "Examples:" in done.stdout
    assert "s3://" in done.stdout
