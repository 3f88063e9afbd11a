"""A page on a server with the real policy, and the few things that the tests ask of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.hashing.server import Site, serve

FINGERPRINT = """async ({ files, workers, patience }) => {
  const { Fingerprinter } = await import('/static/hashing/fingerprinter.js');
  const blobs = await Promise.all(files.map(async (path) => new File([await (await fetch(path)).blob()], 'x')));
  const fingerprinter = await Fingerprinter.start({ workers, patience });
  const progress = [];
  try {
    const results = await fingerprinter.fingerprint(blobs, { onProgress: (step) => progress.push(step) });
    return { results, progress, inWorker: fingerprinter.inWorker };
  } finally {
    fingerprinter.stop();
  }
}"""

DESCRIBE = """async (files) => {
  const { Fingerprinter } = await import('/static/hashing/fingerprinter.js');
  const blobs = await Promise.all(files.map(async (path) => (await fetch(path)).blob()));
  const fingerprinter = await Fingerprinter.start();
  try {
    return await fingerprinter.describe(blobs);
  } finally {
    fingerprinter.stop();
  }
}"""

SELF_TEST = """async () => {
  const { Fingerprinter } = await import('/static/hashing/fingerprinter.js');
  const fingerprinter = await Fingerprinter.start({ workers: 1 });
  const found = await fingerprinter.selfTest();
  const refused = await fingerprinter.fingerprint([new Blob(['x'])]).then(() => null, (error) => error.reason);
  fingerprinter.stop();
  return { ...found, refused, inWorker: fingerprinter.inWorker };
}"""


class Device:
    """A page of the site in a browser of its own."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site = site
        self.page = page

    def open(self) -> None:
        self.page.goto(self.site.origin + "/")

    def fingerprint(self, files: Mapping[str, bytes], workers: int = 1, **options: int) -> dict[str, Any]:
        """What Fingerprinter.fingerprint gives for these files, in order; their names are for the test only."""
        paths = [self.site.put(f"file{number}", content) for number, content in enumerate(files.values())]
        answer: dict[str, Any] = self.page.evaluate(FINGERPRINT, {"files": paths, "workers": workers, **options})
        return answer

    def describe(self, files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
        """What Fingerprinter.describe gives for these files, by their names."""
        paths = [self.site.put(f"file{number}", content) for number, content in enumerate(files.values())]
        return dict(zip(files, self.page.evaluate(DESCRIBE, paths), strict=True))

    def signals(self, files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
        return dict(zip(files, self.fingerprint(files)["results"], strict=True))

    def pdqs(self, files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
        """The PDQ signal of each of these pictures, none of which may be poor or refused."""
        found = {}
        for name, result in self.signals(files).items():
            assert result["ok"], (name, result["reason"])
            assert result["kind"] == "picture"
            assert "poor" not in result, (name, result["why"])
            [found[name]] = result["signals"]
        return found

    def self_test(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.page.evaluate(SELF_TEST)
        return answer


def prepend(device: Device, code: str) -> None:
    """Serve worker.js with this code before it; its own imports still come first, but run nothing."""

    def answer(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=code + response.text())

    device.page.route("**/hashing/worker.js", answer)


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with serve() as site:
        yield site


@pytest.fixture
def device(browser: Browser, site: Site) -> Iterator[Device]:
    """A page that is open; a test may reload it after putting something in its way."""
    context = browser.new_context()
    device = Device(site, context.new_page())
    device.open()
    yield device
    context.close()
