"""A browser that falsifies what it reads back is found out, old browsers are served, and nothing leaves the page."""

from __future__ import annotations

import gzip
import io
import re
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser.hashing.conftest import FINGERPRINT, Device, prepend
from tests.browser.hashing.reference import distance, encoded, pdq_of_luma, resized, signal
from tests.browser.hashing.server import WEB

HASHING = WEB / "hashing"
PHOTOS = sorted((Path(__file__).resolve().parents[2] / "photos").glob("*.jpg"))

FALSIFY = """
for (const kind of ['OffscreenCanvasRenderingContext2D', 'CanvasRenderingContext2D']) {
  const context = globalThis[kind];
  if (!context) continue;
  const read = context.prototype.getImageData;
  context.prototype.getImageData = function (...box) {
    const image = read.apply(this, box);
    MANNER
    return image;
  };
}
"""
MANNERS = {
    "one value changed by one in a strip": "image.data[4 * 1234 + 1] ^= 1;",
    "noise": "for (let i = 0; i < image.data.length; i += 97) if (i % 4 !== 3) image.data[i] ^= 1;",
    "all white": "image.data.fill(255);",
    "withheld": "throw new DOMException('no', 'SecurityError');",
}
FALSIFY_FRAMES = """
const copy = VideoFrame.prototype.copyTo;
VideoFrame.prototype.copyTo = async function (bytes, ...options) {
  const layout = await copy.call(this, bytes, ...options);
  MANNER
  return layout;
};
"""
FRAME_MANNERS = {
    "one value changed by one": "bytes[4 * 1234 + 1] ^= 1;",
    "noise in photographs alone": "for (let i = 0; this.format === 'I420' && i < 9999; i += 97) bytes[i] ^= 1;",
    "all grey": "bytes.fill(128);",
    "withheld": "throw new DOMException('no', 'SecurityError');",
}
IMPORTED = re.compile(r"^(?:import|export)\s[^;]*?from '([^']+)';|^import '([^']+)';", re.MULTILINE)
NO_WORKERS = "delete globalThis.Worker;"
NO_OFFSCREEN_CANVAS = "delete globalThis.OffscreenCanvas;"


def test_an_honest_browser_passes_the_self_test(device: Device) -> None:
    assert device.self_test() == {"ok": True, "reason": "ok", "refused": None, "inWorker": True}


@pytest.mark.parametrize("manner", MANNERS)
def test_a_canvas_falsified_in_the_worker_is_found_out_and_makes_no_fingerprint(manner: str, device: Device) -> None:
    prepend(device, FALSIFY.replace("MANNER", MANNERS[manner]))
    found = device.self_test()
    assert found == {"ok": False, "reason": "canvas-falsified", "refused": "canvas-falsified", "inWorker": True}


@pytest.mark.parametrize("manner", MANNERS)
def test_a_canvas_falsified_on_the_page_is_found_out_and_makes_no_fingerprint(manner: str, device: Device) -> None:
    device.page.add_init_script(NO_WORKERS + FALSIFY.replace("MANNER", MANNERS[manner]))
    device.open()
    found = device.self_test()
    assert found == {"ok": False, "reason": "canvas-falsified", "refused": "canvas-falsified", "inWorker": False}


@pytest.mark.parametrize("manner", FRAME_MANNERS)
def test_frames_falsified_in_the_worker_are_found_out_and_make_no_fingerprint(manner: str, device: Device) -> None:
    prepend(device, FALSIFY_FRAMES.replace("MANNER", FRAME_MANNERS[manner]))
    found = device.self_test()
    assert found == {"ok": False, "reason": "canvas-falsified", "refused": "canvas-falsified", "inWorker": True}


def test_a_browser_without_webcodecs_gives_the_same_from_its_canvas(device: Device) -> None:
    files = {path.stem: path.read_bytes() for path in PHOTOS[:3]}
    in_frames = device.pdqs(files)
    prepend(device, "delete globalThis.ImageDecoder;")
    assert device.self_test()["ok"]
    from_canvas = device.pdqs(files)
    distances = [distance(in_frames[name]["value"], from_canvas[name]["value"]) for name in files]
    assert max(distances) <= 4


def test_the_known_jpeg_has_the_known_brightness_in_another_decoder(device: Device) -> None:
    content, luma = device.page.evaluate(
        """async () => {
          const { knownJpeg, knownLuma } = await import('/static/hashing/known.js');
          return [Array.from(new Uint8Array(await knownJpeg().arrayBuffer())), Array.from(knownLuma())];
        }"""
    )
    with Image.open(io.BytesIO(bytes(content))) as picture:
        picture.draft("L", picture.size)
        assert picture.mode == "L"
        assert picture.tobytes() == bytes(luma)


@pytest.mark.parametrize("lack", [NO_WORKERS, NO_WORKERS + NO_OFFSCREEN_CANVAS])
def test_a_browser_without_module_workers_does_the_same_on_the_page(lack: str, device: Device) -> None:
    device.page.add_init_script(lack)
    device.open()
    content = PHOTOS[0].read_bytes()
    answer = device.fingerprint({"photo": content}, workers=2)
    assert answer["inWorker"] is False
    assert answer["results"][0]["signals"] == [
        dict(zip(("type", "value", "quality"), ("pdq", *signal(content)), strict=True))
    ]


def test_a_browser_without_a_canvas_in_workers_does_the_same_on_the_page(device: Device) -> None:
    prepend(device, NO_OFFSCREEN_CANVAS)
    device.page.add_init_script(NO_OFFSCREEN_CANVAS)
    device.open()
    assert device.self_test() == {"ok": True, "reason": "ok", "refused": None, "inWorker": False}


def test_a_browser_that_cannot_decode_says_so(device: Device) -> None:
    device.page.add_init_script("delete globalThis.Worker; delete globalThis.createImageBitmap;")
    device.open()
    found = device.self_test()
    assert found == {"ok": False, "reason": "unsupported", "refused": "unsupported", "inWorker": False}


def test_the_known_picture_of_the_self_test_has_the_reference_programs_fingerprint(device: Device) -> None:
    pixels = device.page.evaluate("async () => Array.from((await import('/static/hashing/known.js')).knownPixels())")
    luma = resized(Image.frombytes("RGB", (320, 256), bytes(pixels)).convert("L"))
    value, quality = pdq_of_luma(np.asarray(luma))
    assert f"value: '{value}',\n  quality: {quality}," in (HASHING / "self_test.js").read_text()


def test_a_worker_that_breaks_down_costs_one_file_and_not_the_rest(device: Device) -> None:
    prepend(
        device,
        """addEventListener('message', (event) => {
          const { input } = event.data;
          if (!input || input.size !== 77) return;
          event.stopImmediatePropagation();
          throw new Error('out of memory');
        });""",
    )
    content = PHOTOS[0].read_bytes()
    answer = device.fingerprint({"first": content, "fatal": b"x" * 77, "last": content})
    assert [result["ok"] for result in answer["results"]] == [True, False, True]
    assert answer["results"][1]["reason"] == "unreadable"
    assert answer["results"][0]["signals"] == answer["results"][2]["signals"]


def test_cancelling_ends_the_work_and_leaves_the_workers_usable(device: Device) -> None:
    paths = [device.site.put("photo", PHOTOS[0].read_bytes())]
    found = device.page.evaluate(
        """async (paths) => {
          const { Fingerprinter } = await import('/static/hashing/fingerprinter.js');
          const photo = await (await fetch(paths[0])).blob();
          const fingerprinter = await Fingerprinter.start({ workers: 1 });
          const cancel = new AbortController();
          let last = 0;
          const onProgress = ({ done }) => {
            last = done;
            if (done === 2) cancel.abort();
          };
          const many = new Array(40).fill(photo);
          const { signal } = cancel;
          const name = await fingerprinter.fingerprint(many, { onProgress, signal }).catch((e) => e.name);
          const before = await fingerprinter.fingerprint([photo], { signal }).catch((e) => e.name);
          const [again] = await fingerprinter.fingerprint([photo]);
          const underWay = fingerprinter.fingerprint(many).catch((e) => e.name);
          fingerprinter.stop();
          const late = await fingerprinter.fingerprint([photo]).catch((e) => e.name);
          return { name, last, before, again: again.ok, underWay: await underWay, late };
        }""",
        paths,
    )
    assert found == {
        "name": "AbortError",
        "last": 2,
        "before": "AbortError",
        "again": True,
        "underWay": "AbortError",
        "late": "AbortError",
    }


def test_fingerprinting_sends_stores_and_says_nothing(device: Device) -> None:
    said: list[str] = []
    device.page.on("console", lambda message: said.append(message.text))
    content = encoded(Image.open(PHOTOS[1]), "JPEG")
    device.open()
    path = device.site.put("private", content)
    device.page.wait_for_load_state("networkidle")
    del device.site.requests[:]
    answer = device.page.evaluate(FINGERPRINT, {"files": [path, path], "workers": 2})
    assert all(result["ok"] for result in answer["results"])
    modules = {f"GET /static/hashing/{file.name}" for file in HASHING.iterdir()}
    assert set(device.site.requests) <= modules | {f"GET {path}"}
    stored = device.page.evaluate(
        """async () => [localStorage.length, sessionStorage.length, document.cookie,
          (await indexedDB.databases()).length, (await caches.keys()).length]"""
    )
    assert stored == [0, 0, "", 0, 0]
    assert [line for line in said if "favicon" not in line and "404" not in line] == []


def loaded_by(script: str) -> set[Path]:
    """The scripts that this one imports before it does anything, and theirs."""
    found, waiting = set(), [HASHING / script]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += [
                (file.parent / name).resolve()
                for name in chain.from_iterable(IMPORTED.findall(file.read_text()))
                if name
            ]
    return found


def test_what_every_visit_loads_is_small_and_names_nothing_outside_itself() -> None:
    every = loaded_by("worker.js") | loaded_by("fingerprinter.js")
    assert all(file.parent == HASHING for file in every)
    assert sum(len(gzip.compress(file.read_bytes())) for file in every) < 25_000
    for file in sorted(HASHING.iterdir()):
        assert file.suffix == ".js"
        text = file.read_text()
        for word in ("http:", "https:", "//cdn", "Storage", "indexedDB", "console.", "file.name", "XMLHttp"):
            assert word not in text, (file.name, word)
        # The decoder for HEIC is the one file that no import can bring.
        assert text.count("fetch(") == (file.name == "heif.js"), file.name
