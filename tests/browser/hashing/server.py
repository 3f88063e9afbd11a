"""A static server that serves the web folder as the sites do: the exact policy, the right types, nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WEB = Path(__file__).resolve().parents[3] / "src" / "reclaim" / "web"

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self'; img-src 'self'; media-src blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".wasm": "application/wasm",
}
PAGE = b"<!doctype html><html lang=en><meta charset=utf-8><title>hashing</title>"


class Site:
    """The address of the running server, the bytes it hands out to pages and the requests it has seen."""

    def __init__(self) -> None:
        self.origin = ""
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []

    def put(self, name: str, content: bytes) -> str:
        """Serve `content`; returns its path."""
        path = f"/data/{name}"
        self.files[path] = content
        return path

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if path == "/":
            return 200, "text/html; charset=utf-8", PAGE
        if path in self.files:
            return 200, "application/octet-stream", self.files[path]
        if path.startswith("/static/"):
            file = (WEB / path.removeprefix("/static/")).resolve()
            if file.is_relative_to(WEB) and file.is_file():
                return 200, TYPES[file.suffix], file.read_bytes()
        return 404, "text/plain", b"not here"


@contextmanager
def serve() -> Iterator[Site]:
    """Serve the web folder on a free local port for the time of the block."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.requests.append(f"GET {self.path}")
            status, kind, body = site.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            site.requests.append(f"POST {self.path}")
            self.send_error(405)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet: the tests read `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.origin = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
