"""Fetching over TLS: the certificate must be the named host's, though the connection goes to an address."""

from __future__ import annotations

import datetime
import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reclaim.adapters.errors import Gone, MediaNotNow
from reclaim.adapters.fetching import Fetcher


def certificate_for(name: str, path: Path) -> Path:
    """A certificate that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        body = f"{self.headers['Host']} {self.path}".encode()
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[[Path], int]]:
    """Serves with a certificate; the port."""
    servers = []

    def serve(certificate: Path) -> int:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # The handshake is made by the thread that answers, so that a refused one ends that thread only.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.handle_error = lambda *_: None  # type: ignore[method-assign,misc]
        servers.append((server, thread))
        return int(server.server_address[1])

    yield serve
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_name_is_asked_for_and_the_certificate_must_be_its_own(
    served: Callable[[Path], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, other = certificate_for("localhost", tmp_path / "a.pem"), certificate_for("other.example", tmp_path / "b.pem")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(good.read_bytes() + other.read_bytes())
    port, wrong = served(good), served(other)
    fetcher = Fetcher([f"localhost:{port}", f"localhost:{wrong}"], private=True)
    with pytest.raises(MediaNotNow):
        fetcher.fetch(f"https://localhost:{port}/a?b=c")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    assert fetcher.fetch(f"https://localhost:{port}/a?b=c") == f"localhost:{port} /a?b=c".encode()
    with pytest.raises(MediaNotNow):
        fetcher.fetch(f"https://localhost:{wrong}/a")
    with pytest.raises(Gone):
        fetcher.fetch(f"https://localhost:{port}/none")
