"""The adapter for a folder, over a real review site."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from tests.system.adapters.adapter import Adapter, decide, until
from tests.system.platform.site import Platform

QUICK = ("settle_seconds = 2", "settle_seconds = 0.3\nlook_every_seconds = 5")


def below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_each_file_goes_where_it_belongs_and_moves_again_with_the_decision(
    review_site: Platform, running: list[Adapter], tmp_path: Path, known: Callable[[int], bytes], harmless: bytes
) -> None:
    adapter = Adapter("folder", tmp_path / "adapter", review_site, QUICK)
    running.append(adapter)
    root = adapter.folder
    copy = known(1)
    other = tmp_path / "other"
    assert "upload-key.secret" in adapter.command("init", "folder", "--folder", other)
    assert "holds no secret yet" in adapter.run("check", other / "folder.toml").stderr
    assert "Everything fits" in adapter.command("check", adapter.config)
    (root / "in/2024").mkdir()
    (root / "in/2024/a.jpg").write_bytes(copy)
    (root / "in/cat.jpg").write_bytes(harmless)
    (root / "in/.writing").write_bytes(copy)
    (root / "in/broken.jpg").write_bytes(harmless[:2000])
    (root / "in/link.jpg").symlink_to(root / "upload-key.secret")
    adapter.start()
    until(lambda: (root / "held/2024/a.jpg").exists())
    until(lambda: (root / "clear/cat.jpg").exists())
    until(lambda: (root / "unreadable/broken.jpg").exists())
    # What is still being written is not taken, however often it pauses; then it is, once.
    slow = root / "in/slow.jpg"
    with slow.open("wb") as file:
        for start in range(0, len(harmless), len(harmless) // 4 + 1):
            file.write(harmless[start : start + len(harmless) // 4 + 1])
            file.flush()
            time.sleep(0.15)
            assert slow.exists()
    until(lambda: (root / "clear/slow.jpg").exists())
    adapter.kill()
    # While nobody looks: a decision, a new file, and one of a name that is taken.
    decide(review_site, "blocked")
    (root / "in/note.txt").write_text("no picture")
    (root / "in/cat.jpg").write_bytes(harmless)
    adapter.start()
    until(lambda: (root / "blocked/2024/a.jpg").exists())
    until(lambda: (root / "clear/note.txt").exists())
    until(lambda: (root / "clear/cat (2).jpg").exists())
    assert below(root / "held") == {}
    assert below(root / "clear") == {
        "cat.jpg": harmless,
        "cat (2).jpg": harmless,
        "slow.jpg": harmless,
        "note.txt": b"no picture",
    }
    assert below(root / "blocked") == {"2024/a.jpg": copy}
    assert sorted(path.name for path in (root / "in").rglob("*")) == [".writing", "2024", "link.jpg"]

    def counted() -> tuple[int, ...]:
        status = json.loads(adapter.command("status", adapter.config, "--json"))
        return tuple(status[what] for what in ("waiting", "blocked", "clear", "unreadable"))

    # A file is moved first and counted then.
    until(lambda: counted() == (0, 1, 3, 1))
    assert "An adapter runs" in adapter.run("run", adapter.config).stderr


def test_files_can_stay_and_be_reported_each_once(
    review_site: Platform, running: list[Adapter], tmp_path: Path, known: Callable[[int], bytes], harmless: bytes
) -> None:
    adapter = Adapter("folder", tmp_path / "adapter", review_site, QUICK, ('results = "move"', 'results = "report"'))
    running.append(adapter)
    report = adapter.folder / "report.jsonl"

    def lines() -> list[tuple[str, str]]:
        said = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
        return sorted((each["file"], each["stands"]) for each in said)

    (adapter.folder / "in/a.jpg").write_bytes(known(2))
    (adapter.folder / "in/cat.jpg").write_bytes(harmless)
    adapter.start()
    until(lambda: lines() == [("a.jpg", "held"), ("cat.jpg", "clear")])
    adapter.stop()
    adapter.start()
    decide(review_site, "not-blocked")
    until(lambda: lines() == [("a.jpg", "clear"), ("a.jpg", "held"), ("cat.jpg", "clear")])
    assert sorted(path.name for path in (adapter.folder / "in").iterdir()) == ["a.jpg", "cat.jpg"]
