"""Content Credentials are read on the device: what a file says of AI, and nothing else; and nobody is asked."""

from __future__ import annotations

import io

from PIL import Image

from tests.browser.hashing.conftest import Device
from tests.browser.hashing.credentials import edited, signed
from tests.browser.hashing.reference import encoded
from tests.browser.hashing.test_same_file import PHOTOS

LOOK = """async (paths) => {
  const { Provenance } = await import('/static/hashing/provenance.js');
  const provenance = await Provenance.start();
  const found = [];
  for (const path of paths) found.push(await provenance.saysAi(await (await fetch(path)).blob()));
  provenance.stop();
  return found;
}"""
PHOTO = PHOTOS[0].with_name("coffee.jpg").read_bytes()


def test_what_a_file_says_of_ai_is_found_if_it_is_signed_and_unchanged_and_nobody_is_asked(device: Device) -> None:
    made = signed(PHOTO, "trainedAlgorithmicMedia")
    forged = bytearray(made)
    forged[-len(PHOTO) // 2] ^= 1
    elsewhere = signed(PHOTO, "trainedAlgorithmicMedia", elsewhere=f"{device.site.origin}/data/manifest")
    assert b"/data/manifest" in elsewhere
    with Image.open(io.BytesIO(PHOTO)) as picture:
        as_png = encoded(picture, "PNG")
    files = {
        "made with AI": made,
        "made from one that was": edited(made),
        "partly made with AI": signed(as_png, "compositeWithTrainedAlgorithmicMedia", kind="image/png"),
        "from a camera": signed(PHOTO, "digitalCapture"),
        "changed since": bytes(forged),
        "said elsewhere": elsewhere,
        "plain": PHOTO,
        "broken": made[:20_000],
        "no picture": b"words",
        "made with AI, again": made,
    }
    said: list[str] = []
    asked: list[str] = []
    device.page.on("console", lambda message: said.append(message.text))
    device.page.context.on("request", lambda request: asked.append(request.url))
    paths = [device.site.put(f"said{number}", content) for number, content in enumerate(files.values())]
    found = dict(zip(files, device.page.evaluate(LOOK, paths), strict=True))
    assert {name for name, says in found.items() if says} == {
        "made with AI",
        "made from one that was",
        "partly made with AI",
        "made with AI, again",
    }
    programs = {f"{device.site.origin}/static/vendor/c2pa-wasm/{name}" for name in ("c2pa.js", "c2pa_bg.wasm")}
    assert programs <= set(asked)
    assert not [url for url in asked if url.endswith("/manifest")]
    assert all(url.startswith(device.site.origin) for url in asked)
    assert said == []
