"""A folder of five hundred pictures in one go: in order, with progress, pause and cancel, whatever one of them is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Route

from tests.browser.hashing.conftest import Device
from tests.browser.hashing.reference import encoded
from tests.browser.hashing.test_video import choose
from tests.browser.hashing.videos import PHOTOS

MANY = 500
BAD = {7: b"", 77: b"no picture\n" * 99, 177: b"\xff\xd8\xff\xe0" + b"\0" * 500}

ALL = """async ({ pauseAt, stopAt }) => {
  const { Fingerprinter } = await import('/static/hashing/fingerprinter.js');
  const { Gate } = await import('/static/person/gate.js');
  const { files } = document.querySelector('input');
  const fingerprinter = await Fingerprinter.start({ workers: 2 });
  const gate = new Gate();
  const stopping = new AbortController();
  const steps = [];
  let whilePaused = null;
  const onProgress = (step) => {
    steps.push(step);
    if (step.done === stopAt) stopping.abort();
    if (step.done !== pauseAt || whilePaused !== null) return;
    gate.set(true);
    whilePaused = 0;
    setTimeout(() => {
      whilePaused = steps.length;
      setTimeout(() => {
        whilePaused = steps.length - whilePaused;
        gate.set(false);
      }, 200);
    }, 200);
  };
  try {
    const results = await fingerprinter.fingerprint(files, { onProgress, signal: stopping.signal, gate });
    return { results, steps, whilePaused };
  } catch (error) {
    return { name: error.name, steps };
  } finally {
    fingerprinter.stop();
  }
}"""

# The picture that is a certain size kills or holds up its worker before anything of it is read.
TROUBLE = """
const answer = self.onmessage;
self.onmessage = (event) => {
  const { input } = event.data;
  if (input instanceof Blob && input.size === %d) { %s }
  return answer(event);
};
"""
DIES = "setTimeout(() => { throw new Error('out of memory'); }); return undefined;"
HANGS = "return undefined;"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that all differ, in folders of folders, three of them no pictures."""
    place = tmp_path_factory.mktemp("folder")
    photos = [Image.open(path).convert("RGB").resize((160, 120)) for path in PHOTOS[:25]]
    for number in range(MANY):
        photo, edge = photos[number % 25], number // 25 * 4
        path = place / f"{number % 5}" / f"{number:03}.jpg"
        path.parent.mkdir(exist_ok=True)
        small = photo.resize((96, 72), Image.Resampling.BILINEAR, (edge, edge, photo.width, photo.height))
        path.write_bytes(BAD[number] if number in BAD else encoded(small, "JPEG"))
    return place


def test_a_folder_of_five_hundred_goes_on_past_bad_files_and_waits_while_paused(device: Device, folder: Path) -> None:
    choose(device.page, folder, folder=True)
    answer = device.page.evaluate(ALL, {"pauseAt": 100, "stopAt": -1})
    results, steps = answer["results"], answer["steps"]
    assert [result["number"] for result in results] == list(range(1, MANY + 1))
    reasons = [result["reason"] for result in results if not result["ok"]]
    assert len(reasons) == len(BAD)
    assert {"empty", "not-a-picture"} < set(reasons)
    assert answer["whilePaused"] == 0
    assert {step["total"] for step in steps} == {MANY}
    ways = [step["done"] + step["part"] for step in steps]
    assert ways == sorted(ways)
    assert (ways[0], ways[-1]) == (0, MANY)
    assert all(0 <= step["part"] <= 1 for step in steps)


def test_a_folder_can_be_cancelled_on_the_way(device: Device, folder: Path) -> None:
    choose(device.page, folder, folder=True)
    answer = device.page.evaluate(ALL, {"pauseAt": -1, "stopAt": 40})
    assert answer["name"] == "AbortError"
    assert answer["steps"][-1]["done"] <= 42


@pytest.mark.parametrize("trouble", [DIES, HANGS])
def test_a_worker_that_dies_or_hangs_costs_one_file(trouble: str, device: Device) -> None:
    photo = Image.open(PHOTOS[3]).convert("RGB")
    files = {str(number): encoded(photo.crop((number, 0, 300, 200)), "JPEG") for number in range(6)}
    code = TROUBLE % (len(files["2"]), trouble)

    def answer(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=response.text() + code)

    device.page.route("**/hashing/worker.js", answer)
    results: list[dict[str, Any]] = device.fingerprint(files, workers=2, patience=2000)["results"]
    assert [result["number"] for result in results if not result["ok"]] == [3]
    about = results[2].pop("about")
    assert about.pop("modified") > 1e12
    assert about == {"format": "unknown", "bytes": len(files["2"])}
    assert results[2] == {"number": 3, "ok": False, "reason": "unreadable"}
