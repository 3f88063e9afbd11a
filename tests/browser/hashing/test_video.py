"""A video becomes the MD5 of its file and the PDQ of a frame a second, whatever it is wrapped in."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route

from reclaim.signals.descriptors import parse_descriptors
from reclaim.signals.frames import DESCRIBED_STILLS, frames_text
from reclaim.signals.video import video_signals
from reclaim.signals.video_views import describe_video
from tests.browser.hashing import videos
from tests.browser.hashing.conftest import Device
from tests.browser.hashing.reference import distance

NO_DECODER = "delete self.VideoDecoder;"
OPAQUE = "Object.defineProperty(VideoFrame.prototype, 'format', { get: () => null });"
NEAR = 6
MATCH = 31


@cache
def film(container: str, codec: str | None = None, g: int = 10, movflags: str = "") -> bytes:
    """Four seconds over three photographs."""
    flags = {"movflags": movflags} if movflags else {}
    return videos.encoded(videos.film(), container, codec, container_options=flags, g=str(g))


@cache
def films() -> dict[str, bytes]:
    mp4 = film("mp4")
    return {
        "mp4": mp4,
        "mov": film("mov"),
        "webm": film("webm"),
        "mkv": film("matroska"),
        "one key frame": film("mp4", g=1000),
        "fragmented": film("mp4", movflags="frag_keyframe+empty_moov"),
        "on its side": videos.rotated(mp4, 90),
        "upside down": videos.rotated(mp4, 180),
        "on its other side": videos.rotated(mp4, 270),
        "ten bits": videos.encoded(videos.film(), pix_fmt="yuv420p10le"),
        "four colours for four": videos.encoded(videos.film(), pix_fmt="yuv444p"),
        "grey": videos.encoded(videos.film(), pix_fmt="gray"),
        "full range": videos.encoded(videos.film(), pix_fmt="yuvj420p"),
        "shorter than a second": videos.encoded(videos.film(0.3)),
    }


def texts_of(result: dict[str, Any]) -> list[str]:
    """The frames as they are written."""
    (texts,) = [signal["frames"] for signal in result["signals"] if signal["type"] == "vpdq"]
    return list(texts)


def frames_of(result: dict[str, Any]) -> list[tuple[int, int, str, str]]:
    """Number, quality, value and seconds of each frame."""
    split = [text.split(",") for text in texts_of(result)]
    return [(int(number), int(quality), value, seconds) for number, quality, value, seconds in split]


def md5_of(result: dict[str, Any]) -> str:
    kind, value = result["signals"][0].values()
    assert kind == "md5"
    return str(value)


def are_those_of_python(result: dict[str, Any], content: bytes) -> bool:
    """Whether the frames are those that Python finds, to the bit."""
    return texts_of(result) == frames_text(video_signals(content).frames)


def is_near(result: dict[str, Any], content: bytes) -> bool:
    """The same where the browser drew the frames: the same moments, and at most six bits apart."""
    found, wanted = frames_of(result), video_signals(content).frames
    assert [(number, seconds) for number, _, _, seconds in found] == [(w.number, f"{w.seconds:.3f}") for w in wanted]
    return all(distance(f[2], w.pdq) <= NEAR for f, w in zip(found, wanted, strict=True))


def found_in(result: dict[str, Any], whole: dict[str, Any]) -> float:
    """The part of the frames of one video that match a frame of the other."""
    values = [value for _, _, value, _ in frames_of(whole)]
    own = frames_of(result)
    return sum(any(distance(frame[2], value) <= MATCH for value in values) for frame in own) / len(own)


def in_workers(device: Device, code: str) -> None:
    """Run this in each worker before its first task."""

    def answer(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=response.text() + code)

    device.page.route("**/hashing/worker.js", answer)


def test_every_container_gives_the_files_md5_and_the_frames_that_python_finds(device: Device) -> None:
    found = device.signals(films())
    for name, content in films().items():
        result = found[name]
        assert (result["ok"], result["kind"], "only" in result) == (True, "video", False), (name, result)
        assert md5_of(result) == hashlib.md5(content).hexdigest()
        assert are_those_of_python(result, content), name
    assert [frame[3] for frame in frames_of(found["webm"])] == ["0.000", "1.000", "2.000", "3.000"]


def test_what_a_video_is_is_said_for_the_person_and_never_its_name(device: Device) -> None:
    found = device.signals({name: films()[name] for name in ("mov", "on its side", "shorter than a second")})
    about = {name: result.pop("about") for name, result in found.items()}
    for name, each in about.items():
        assert each.pop("bytes") == len(films()[name])
        assert each.pop("modified") > 1e12
    assert about == {
        "mov": {"format": "mov", "width": 320, "height": 240, "seconds": 4},
        "on its side": {"format": "mp4", "width": 240, "height": 320, "seconds": 4},
        "shorter than a second": {"format": "mp4", "width": 320, "height": 240, "seconds": 0.3},
    }
    for result in found.values():
        assert set(result) == {"number", "ok", "kind", "signals"}


def test_a_copy_that_was_packed_anew_made_smaller_or_cut_out_is_found(device: Device) -> None:
    frames = list(videos.film(8, 10, (640, 360), (0, 5, 12), zoom=0.02))
    small = list(videos.film(8, 10, (240, 136), (0, 5, 12), zoom=0.02))
    found = device.signals(
        {
            "whole": videos.encoded(iter(frames), "mp4"),
            "other codec": videos.encoded(iter(frames), "webm", crf="40"),
            "small and coarse": videos.encoded(iter(small), "mp4", crf="36"),
            "cut out": videos.encoded(iter(frames[23:67]), "mov"),
        }
    )
    shares = {name: found_in(found[name], found["whole"]) for name in list(found)[1:]}
    assert min(shares.values()) >= 0.75, shares
    assert (
        found_in(
            found["whole"], device.signals({"other": videos.encoded(videos.film(4, 10, photos=(20, 21)))})["other"]
        )
        == 0
    )


def test_a_video_of_which_nothing_can_be_shown_is_named_for_why(device: Device) -> None:
    front = film("mp4", movflags="faststart")
    data = front.index(b"mdat") + 4
    key = "00112233445566778899aabbccddeeff"
    secret = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": key, "encryption_kid": key}
    grey = np.full((240, 320, 3), 90, np.uint8)
    files = {
        "empty": b"",
        "no index": film("mp4")[:200_000],
        "cut before the first frame": front[: data + 20],
        "header alone": film("webm")[:400],
        "sound alone": videos.sound(),
        "no frame": videos.empty_film("mp4"),
        "no frame in mkv": videos.empty_film("matroska"),
        "all damaged": front[:data] + videos.noise(len(front) - data),
        "encrypted": videos.encoded(videos.film(), container_options=secret),
        "encrypted webm": videos.encrypted_webm(film("webm")),
        "no such codec here": videos.encoded(videos.film(), "mp4", "mpeg4"),
        "all grey": videos.encoded(grey for _ in range(20)),
        "good": front,
    }
    found = device.signals(files)
    told = {name: result.get("reason") or result.get("only") or "frames" for name, result in found.items()}
    assert told == {
        "empty": "empty",
        "no index": "truncated",
        "cut before the first frame": "truncated",
        "header alone": "truncated",
        "sound alone": "not-a-picture",
        "no frame": "damaged",
        "no frame in mkv": "damaged",
        "all damaged": "damaged",
        "encrypted": "encrypted",
        "encrypted webm": "encrypted",
        "no such codec here": "codec",
        "all grey": "plain",
        "good": "frames",
    }
    for name, result in found.items():
        if result["ok"]:
            assert md5_of(result) == hashlib.md5(files[name]).hexdigest()
            assert len(result["signals"]) == (2 if name == "good" else 1)


def test_a_video_that_is_cut_or_damaged_on_the_way_gives_the_frames_it_has(device: Device) -> None:
    front = film("mp4", movflags="faststart")
    long = film("mp4", g=1000, movflags="faststart")
    third = len(front) // 3
    files = {
        "cut": front[: len(front) * 6 // 10],
        "cut, one key frame": long[: len(long) * 6 // 10],
        "damaged": front[:third] + videos.noise(20_000) + front[third + 20_000 :],
    }
    found = device.signals(files)
    numbers = {name: [frame[0] for frame in frames_of(result)] for name, result in found.items()}
    assert numbers == {"cut": [0, 1], "cut, one key frame": [0, 1], "damaged": [0, 2, 3]}


def test_where_the_browser_cannot_decode_an_unseen_video_element_shows_the_frames(device: Device) -> None:
    in_workers(device, NO_DECODER)
    device.page.add_init_script(
        """globalThis.addresses = 0;
        for (const [name, step] of [['createObjectURL', 1], ['revokeObjectURL', -1]]) {
          const own = URL[name];
          URL[name] = (what) => { globalThis.addresses += step; return own.call(URL, what); };
        }
        new MutationObserver((changes) => {
          for (const { addedNodes } of changes) for (const node of addedNodes) {
            if (node.nodeName === 'VIDEO') globalThis.seen = true;
          }
        }).observe(document, { childList: true, subtree: true });"""
    )
    device.open()
    files = {**films(), "no such codec here": videos.encoded(videos.film(), "mp4", "mpeg4")}
    answer = device.fingerprint(files, workers=2)
    found = dict(zip(files, answer["results"], strict=True))
    assert found.pop("no such codec here")["only"] == "codec"
    for name, result in found.items():
        assert "only" not in result, name
        assert set(result) == {"number", "about", "ok", "kind", "signals"}
        assert is_near(result, films()[name]), name
    assert device.page.evaluate("[globalThis.addresses, globalThis.seen]") == [0, None]
    ways = [step["done"] + step["part"] for step in answer["progress"]]
    assert ways == sorted(ways)


def test_the_descriptors_of_a_video_are_those_that_python_makes_of_moments_all_over_it(device: Device) -> None:
    long = videos.encoded(videos.film(31, photos=range(9)))
    shade = videos.encoded(iter([np.zeros((180, 320, 3), np.uint8)] * 20))
    files = {name: films()[name] for name in ("mp4", "webm", "on its side", "ten bits", "full range")}
    for name, pixel in (("wide pixels", Fraction(4, 3)), ("high pixels", Fraction(9, 16))):
        files[name] = videos.encoded(videos.film(), sample_aspect_ratio=pixel)
    files["wide pixels, on their side"] = videos.rotated(files["wide pixels"], 90)
    found = device.describe({**files, "long": long, "of one shade": shade})
    assert found.pop("of one shade") == {"stills": []}
    assert [len(found[name]["stills"]) for name in ("mp4", "long")] == [4, DESCRIBED_STILLS]
    for name, content in {**files, "long": long}.items():
        wanted = describe_video(content)
        assert [still["descriptors"] for still in found[name]["stills"]] == [each.text for each in wanted], name
        for still, each in zip(found[name]["stills"], wanted, strict=True):
            frame, places = each.placement
            assert still["placement"] == {"frame": [*frame], "places": places.tolist()}, name


def test_of_a_video_that_only_an_unseen_element_shows_descriptors_are_nearly_the_same(device: Device) -> None:
    in_workers(device, NO_DECODER)
    device.open()
    found = device.describe({"film": films()["webm"], "none": videos.encoded(videos.film(), "mp4", "mpeg4")})
    assert found["none"] == {"stills": []}
    wanted = describe_video(films()["webm"])
    assert len(found["film"]["stills"]) == len(wanted) == 4
    for still, python in zip(found["film"]["stills"], wanted, strict=True):
        bits = parse_descriptors(still["descriptors"])[:, None] ^ python.values[None]
        nearest = np.bitwise_count(bits).sum(axis=2, dtype=int).min(axis=1)
        assert np.median(nearest) < 16


def test_frames_that_a_decoder_hands_over_unnamed_are_drawn(device: Device) -> None:
    in_workers(device, OPAQUE)
    device.open()
    names = ("webm", "on its side")
    found = device.signals({name: films()[name] for name in names})
    for name in names:
        assert is_near(found[name], films()[name]), name


def test_a_browser_without_webassembly_says_so_of_a_video(device: Device) -> None:
    in_workers(device, "delete self.WebAssembly;")
    device.open()
    assert device.signals({"film": films()["webm"]})["film"]["reason"] == "unsupported"


def test_a_browser_without_workers_does_videos_on_the_page(device: Device) -> None:
    device.page.add_init_script("delete globalThis.Worker;")
    device.open()
    answer = device.fingerprint({"film": films()["webm"]})
    assert answer["inWorker"] is False
    assert are_those_of_python(answer["results"][0], films()["webm"])


TAKE_A_FILE = """async () => {
  const { Fingerprinter } = await import('/static/hashing/fingerprinter.js');
  const fingerprinter = await Fingerprinter.start({ workers: 1 });
  const steps = [];
  try {
    const { files } = document.querySelector('input');
    const results = await fingerprinter.fingerprint(files, { onProgress: (step) => steps.push(step) });
    return { results, steps };
  } finally {
    fingerprinter.stop();
  }
}"""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A real video of 320 MB, nearly all of it a part that players skip."""
    path = tmp_path / "large"
    content = films()["mp4"]
    size = 320 * 2**20
    with path.open("wb") as file:
        file.write(content + (size - len(content)).to_bytes(4, "big") + b"free")
        file.truncate(size)
    return path


def memory(browser: Browser) -> int:
    """The most bytes that the browser's processes have held so far."""
    session = browser.new_browser_cdp_session()
    total = 0
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        for line in Path(f"/proc/{process['id']}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                total += int(line.split()[1]) * 1024
    session.detach()
    return total


def choose(page: Page, what: Path, folder: bool = False) -> None:
    """A file or a folder chosen as a person does."""
    page.evaluate(
        """(folder) => {
          const input = document.createElement('input');
          Object.assign(input, { type: 'file', multiple: true, webkitdirectory: folder });
          document.body.replaceChildren(input);
        }""",
        folder,
    )
    page.set_input_files("input", what)


def test_a_large_video_is_never_in_memory_as_a_whole(large: Path, device: Device, browser: Browser) -> None:
    device.signals({"first": films()["mp4"]})
    before = memory(browser)
    choose(device.page, large)
    answer = device.page.evaluate(TAKE_A_FILE)
    (result,) = answer["results"]
    with large.open("rb") as file:
        assert md5_of(result) == hashlib.file_digest(file, "md5").hexdigest()
    assert len(frames_of(result)) == 4
    assert result["about"]["bytes"] == 320 * 2**20
    assert len(answer["steps"]) > 10
    assert memory(browser) - before < 200 * 2**20


STOPPED = """async ([path, workers]) => {
  if (!workers) delete globalThis.Worker;
  const { Fingerprinter } = await import('/static/hashing/fingerprinter.js');
  const blob = await (await fetch(path)).blob();
  const fingerprinter = await Fingerprinter.start();
  const stopping = new AbortController();
  const onProgress = ({ part }) => part > 0 && stopping.abort();
  const work = fingerprinter.describe([blob], { onProgress, signal: stopping.signal });
  const name = await work.then(() => 'done', (error) => error.name);
  const [{ stills }] = await fingerprinter.describe([blob]);
  fingerprinter.stop();
  return [name, stills.length];
}"""


@pytest.mark.parametrize("workers", [True, False])
@pytest.mark.parametrize("decoder", [True, False])
def test_describing_a_video_can_be_cancelled_in_the_middle(device: Device, workers: bool, decoder: bool) -> None:
    if not decoder:
        in_workers(device, NO_DECODER)
        device.page.add_init_script(NO_DECODER)
        device.open()
    path = device.site.put("film", films()["webm"])
    assert device.page.evaluate(STOPPED, [path, workers]) == ["AbortError", 4]


PAUSED = """async (path) => {
  const { Fingerprinter } = await import('/static/hashing/fingerprinter.js');
  const { Gate } = await import('/static/person/gate.js');
  const blob = await (await fetch(path)).blob();
  const fingerprinter = await Fingerprinter.start({ workers: 1 });
  const gate = new Gate();
  const seen = [];
  const stopping = new AbortController();
  const onProgress = ({ done, part }) => {
    seen.push(done + part);
    if (part > 0 && !gate.paused) gate.set(true);
  };
  const work = fingerprinter.fingerprint([blob], { onProgress, signal: stopping.signal, gate });
  while (!gate.paused) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const held = seen.length;
  stopping.abort();
  const name = await work.then(() => 'done', (error) => error.name);
  gate.set(false);
  const [again] = await fingerprinter.fingerprint([blob]);
  fingerprinter.stop();
  return { held, name, ok: again.ok, signals: again.signals.length };
}"""


def test_a_video_can_be_paused_and_cancelled_in_the_middle(device: Device) -> None:
    path = device.site.put("film", films()["mp4"])
    found = device.page.evaluate(PAUSED, path)
    assert found.pop("held") <= 3
    assert found == {"name": "AbortError", "ok": True, "signals": 2}
