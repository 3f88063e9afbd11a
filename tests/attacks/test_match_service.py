"""Attacks on the match service, over a real socket."""

from __future__ import annotations

import io
import select
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from reclaim.matching.keys import Keys
from reclaim.signals import md5_of
from tests.conftest import secrets_in
from tests.personas import pdq_value
from tests.system.matching.service import Answer, Service, everywhere, make_folder, until
from tests.system.matching.world import ASTRONAUT, CAT, pdq

PATHS = [
    "/v1/lookup",
    "/v1/lookup/batch",
    "/v1/lookup/video",
    "/v1/match",
    "/metrics",
    "/",
    "/openapi.json",
    "/nowhere",
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two workers that know the astronaut and the cat's file."""
    root = tmp_path_factory.mktemp("attacked")
    served = Service(make_folder(root / "index", {1: pdq(ASTRONAUT)}, {2: md5_of(CAT)}), options=("--picture-mib", "1"))
    with served:
        yield served
        assert everywhere(lambda: served.lookup(pdq(ASTRONAUT)).json["action"] == "hold"), "it survived all of this"


def read_all(sock: socket.socket) -> bytes:
    """Until the other end closes."""
    parts = []
    try:
        while part := sock.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def head(service: Service, path: str, *lines: str, key: str | None = None) -> bytes:
    auth = f"Authorization: Bearer {service.key if key is None else key}"
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", auth, *lines, "", ""]).encode()


# Keys


@pytest.mark.parametrize("path", PATHS)
def test_without_a_key_nothing_but_the_two_open_paths_answers(service: Service, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        answer = service.ask(method, path, key="")
        answer.problem(401)
        assert answer.headers["www-authenticate"] == "Bearer"


def wrong_keys(right: str) -> list[str]:
    return [right[:-1], right + "A", right.swapcase(), f"{right} {right}", "reclaim_match_", "x" * 100_000, "\x00", "é"]


def test_a_wrong_key_opens_nothing(service: Service) -> None:
    for wrong in wrong_keys(service.key):
        with service.connect() as sock:
            sock.sendall(
                head(service, "/v1/lookup", "Content-Type: application/json", "Content-Length: 2", key=wrong) + b"{}"
            )
            status = sock.recv(65536).split(b" ", 2)[1]
        # Too long a head, or a control character, does not get as far as the question of keys.
        assert status in (b"401", b"400", b"431"), wrong[:40]


@pytest.mark.parametrize("scheme", ["Basic", "Token", "", "bearer:"])
def test_a_right_key_in_another_scheme_opens_nothing(service: Service, scheme: str) -> None:
    service.ask("GET", "/metrics", key="", Authorization=f"{scheme} {service.key}").problem(401)


def test_a_key_in_the_address_or_a_cookie_opens_nothing(service: Service) -> None:
    service.ask("GET", f"/metrics?key={service.key}&access_token={service.key}", key="").problem(401)
    service.ask("GET", "/metrics", key="", Cookie=f"key={service.key}").problem(401)


def test_a_key_that_ends_opens_nothing_within_seconds(service: Service) -> None:
    keys = service.folder.parent / "match-keys.json"
    leaving = service.run("key", "--keys", keys, "--name", "leaving").stdout.strip()
    until(lambda: everywhere(lambda: service.ask("GET", "/metrics", key=leaving).status == 200))
    service.run("key", "--keys", keys, "--name", "leaving")
    until(lambda: everywhere(lambda: service.ask("GET", "/metrics", key=leaving).status == 401))


def test_without_any_key_the_service_does_not_start(tmp_path: Path) -> None:
    import subprocess

    from tests.system.environment import RECLAIM, plain_environment

    folder = make_folder(tmp_path / "index")
    done = subprocess.run(
        [RECLAIM, "match", "serve", "--index", folder, "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
        env=plain_environment(),
        timeout=60,
    )
    assert done.returncode == 1
    assert "Make a key with: reclaim match key" in done.stderr


# No oracle


def test_without_a_key_a_known_signal_is_answered_as_an_unknown_one(service: Service) -> None:
    def said(value: str) -> Answer:
        return service.ask("POST", "/v1/lookup", {"type": "pdq", "value": value}, key="")

    known, unknown = said(pdq(ASTRONAUT)), said(pdq_value(9))
    assert known.status == unknown.status == 401
    assert known.body == unknown.body
    assert {**known.headers, "date": ""} == {**unknown.headers, "date": ""}


def test_what_is_open_to_all_says_nothing_of_signals(service: Service) -> None:
    assert service.ask("GET", "/live", key="").json == {"live": True}
    assert service.ask("GET", "/ready", key="").json == {"ready": True}


def test_a_key_is_asked_for_before_a_byte_of_the_body_is_read(service: Service) -> None:
    with service.connect() as sock:
        sock.sendall(head(service, "/v1/match", "Content-Type: image/jpeg", "Content-Length: 900000", key="wrong"))
        assert sock.recv(65536).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("path", ["/live", "/ready", "/metrics"])
def test_who_shows_no_key_keeps_no_connection(service: Service, path: str) -> None:
    with service.connect() as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert b"connection: close" in read_all(sock), "read until the service closed it"


def test_who_shows_a_key_keeps_the_connection(service: Service) -> None:
    with service.connect() as sock:
        for _ in range(2):
            sock.sendall(f"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.key}\r\n\r\n".encode())
            assert sock.recv(1000).startswith(b"HTTP/1.1 200")
            while sock in select.select([sock], [], [], 0.2)[0]:
                sock.recv(65536)


def test_nobody_has_to_read_for_the_service_to_be_rid_of_an_answer(service: Service) -> None:
    until(lambda: service.log.count("a connection that nobody reads ends in 20 s") == 2)


# Answers


@pytest.fixture
def hot(service: Service) -> Iterator[str]:
    """A value that 150 signals are near to."""
    value = pdq_value(500)
    ids = range(1000, 1150)
    with service.writer() as writer:
        writer.change(added=[(id_, (int(value, 16) ^ 1 << (id_ - 1000)).to_bytes(32, "big")) for id_ in ids])
        until(lambda: everywhere(lambda: len(service.lookup(value).json["matches"]) == 100))
        yield value
        writer.change(removed=list(ids))
        # Else the next test might take what a worker has not let go of yet for what it has just been given.
        until(lambda: everywhere(lambda: service.lookup(value).json["matches"] == []))


@pytest.mark.parametrize("form", ["bytes", "json"])
def test_a_batch_that_asks_thousands_of_times_for_what_many_are_near_to_is_answered_shortly(
    service: Service, hot: str, form: str
) -> None:
    if form == "bytes":
        answer = service.ask(
            "POST", "/v1/lookup/batch", bytes.fromhex(hot) * 4096, content_type="application/octet-stream"
        )
    else:
        answer = service.ask("POST", "/v1/lookup/batch", {"signals": [{"type": "pdq", "value": hot}] * 4096})
    assert len(answer.body) < 2 * 2**20
    assert [each["position"] for each in answer.json["matched"]] == list(range(4096))
    for each in answer.json["matched"]:
        assert each["decision"]["action"] == "hold"
        assert [match["distance"] for match in each["decision"]["matches"]] == [1]
        assert each["decision"]["more"]


def test_one_of_a_batch_names_the_ten_nearest(service: Service, hot: str) -> None:
    body = bytes.fromhex(hot) + bytes.fromhex(pdq(ASTRONAUT))
    answer = service.ask("POST", "/v1/lookup/batch", body, content_type="application/octet-stream").json
    decisions = [each["decision"] for each in answer["matched"]]
    assert [(len(each["matches"]), each["more"]) for each in decisions] == [(10, True), (1, False)]


# Bodies


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(service: Service) -> None:
    for path, kind, length in (
        ("/v1/lookup", "application/json", 4097),
        ("/v1/lookup/batch", "application/json", 2**20 + 1),
        ("/v1/lookup/batch", "application/octet-stream", 10_000 * 32),
        ("/v1/match", "image/jpeg", 2**20 + 1),
        ("/v1/match", "image/jpeg", 2**63),
    ):
        with service.connect() as sock:
            sock.sendall(head(service, path, f"Content-Type: {kind}", f"Content-Length: {length}"))
            assert b" 413 " in read_all(sock).split(b"\r\n")[0]


def test_a_body_in_chunks_is_cut_off_at_the_limit(service: Service) -> None:
    with service.connect() as sock:
        sock.sendall(head(service, "/v1/match", "Content-Type: image/jpeg", "Transfer-Encoding: chunked"))
        chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
        sent = 0
        try:
            while sent < 64 * 2**20:
                sock.sendall(chunk)
                sent += 65536
        except OSError:
            pass
        assert sent < 32 * 2**20, "it took the whole of it"
        assert b" 413 " in read_all(sock).split(b"\r\n")[0]


def test_slow_senders_are_let_go(service: Service) -> None:
    def slow_head() -> bytes:
        with service.connect() as sock:
            sock.sendall(b"POST /v1/lookup HTTP/1.1\r\nHost:")
            return read_all(sock)

    def slow_body() -> bytes:
        with service.connect() as sock:
            sock.sendall(head(service, "/v1/match", "Content-Type: image/jpeg", "Content-Length: 1000") + b"a")
            return read_all(sock)

    def dripping_body() -> bytes:
        with service.connect() as sock:
            sock.sendall(head(service, "/v1/match", "Content-Type: image/jpeg", "Content-Length: 1000"))
            sock.settimeout(0.5)
            for _ in range(100):
                try:
                    sock.sendall(b"a")
                    return sock.recv(65536)
                except TimeoutError:
                    continue
        return b"never"

    def says_nothing() -> bytes:
        with service.connect() as sock:
            return read_all(sock)

    with ThreadPoolExecutor(4) as pool:
        attempts = [pool.submit(each) for each in (slow_head, slow_body, dripping_body, says_nothing)]
        assert everywhere(lambda: service.lookup(pdq(ASTRONAUT)).json["action"] == "hold")
        answers = [each.result() for each in attempts]
    assert answers[0] == answers[3] == b"", "a head that never comes is closed upon"
    assert answers[1].startswith(b"HTTP/1.1 408")
    assert answers[2].startswith(b"HTTP/1.1 408")
    until(lambda: service.metric("reclaim_match_pictures_waiting") == 0)


def test_a_body_longer_than_it_says_is_not_taken_for_more_than_it_says(service: Service) -> None:
    body = b'{"type":"pdq","value":"%s"}' % pdq_value(9).encode()
    with service.connect() as sock:
        sock.sendall(
            head(service, "/v1/lookup", "Content-Type: application/json", f"Content-Length: {len(body)}")
            + body
            + b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        said = read_all(sock)
    assert said.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 401" in said, "what follows is another request, and needs a key of its own"


def test_a_body_shorter_than_it_says_is_not_looked_up(service: Service) -> None:
    with service.connect() as sock:
        sock.sendall(head(service, "/v1/lookup", "Content-Type: application/json", "Content-Length: 100") + b"{")
        sock.shutdown(socket.SHUT_WR)
        assert b" 200 " not in read_all(sock)


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 2", "Content-Length: 3"],
        ["Content-Length: -1"],
        ["Content-Length: two"],
        ["Content-Length: 2", "Transfer-Encoding: chunked, x"],
    ],
)
def test_lengths_that_contradict_themselves_are_refused(service: Service, lines: list[str]) -> None:
    with service.connect() as sock:
        sock.sendall(head(service, "/v1/lookup", "Content-Type: application/json", *lines) + b"{}")
        sock.shutdown(socket.SHUT_WR)
        assert b" 200 " not in read_all(sock)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"type":"pdq"}',
        b'{"type":"pdq","value":7}',
        b'{"type":"pdq","value":"' + b"z" * 64 + b'"}',
        b'{"type":"pdq","value":"' + b"0" * 63 + b'"}',
        b'{"type":"pdq","value":"' + "٠".encode() * 64 + b'"}',
        b'{"type":"sesame","value":"open"}',
        b'{"type":"pdq","value":"' + b"0" * 64 + b'","quality":101}',
        b'{"type":"pdq","value":"' + b"0" * 64 + b'","sesame":1}',
        b"[" * 2000,
        b"\xff\xfe\x00",
        b'{"type":"pdq","value":"\\ud800"}',
    ],
)
def test_garbage_is_refused_in_a_sentence_that_does_not_repeat_it(service: Service, body: bytes) -> None:
    for path, sent in (("/v1/lookup", body), ("/v1/lookup/batch", b'{"signals":[' + body + b"]}")):
        answer = service.ask("POST", path, sent, content_type="application/json")
        assert answer.problem(400)
        assert b"sesame" not in answer.body
        assert b"zzzz" not in answer.body


def test_a_batch_over_the_limit_is_refused_whole(service: Service) -> None:
    signal = {"type": "pdq", "value": pdq(ASTRONAUT)}
    service.ask("POST", "/v1/lookup/batch", {"signals": [signal] * 10_000}).problem(400)
    service.ask(
        "POST", "/v1/lookup/batch", bytes.fromhex(pdq(ASTRONAUT)) * 10_000, content_type="application/octet-stream"
    ).problem(413)
    service.ask("POST", "/v1/lookup/batch", {"signals": []}).problem(400)


@pytest.mark.parametrize("length", [0, 1, 31, 33])
def test_codes_that_are_not_32_bytes_each_are_refused(service: Service, length: int) -> None:
    service.ask("POST", "/v1/lookup/batch", bytes(length), content_type="application/octet-stream").problem(400)


# Videos


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [7],
        ["0,100," + "z" * 64 + ",0.000"],
        ["x" * 101],
        [f"{number},90,{pdq_value(3)},{number}.000" for number in range(3601)],
        [f"1,90,{pdq_value(3)},1.000", f"0,90,{pdq_value(4)},0.000"],
    ],
    ids=["none", "a number", "no hexadecimal", "too long", "too many", "backwards"],
)
def test_frames_that_are_none_are_refused_in_a_sentence_that_does_not_repeat_them(
    service: Service, frames: list[object]
) -> None:
    answer = service.ask("POST", "/v1/lookup/video", {"frames": frames})
    assert answer.problem(400)["faults"]
    for sent in (pdq_value(3), "z" * 8, "x" * 8):
        assert sent not in answer.body.decode()


# Pictures


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def half_a_jpeg() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((900, 900), 80).save(out, "JPEG")
    return out.getvalue()[: out.tell() // 2]


@pytest.mark.parametrize(
    ("picture", "status"),
    [
        (b"", 422),
        (b"\xff\xd8\xff", 422),
        (b"\xff\xd8\xff" + bytes(1000), 422),
        (b"<svg onload=alert(1)>", 422),
        (half_a_jpeg(), 422),
        (bomb(60_000, 60_000), 413),
        (bomb(9_000, 9_000), 422),
    ],
    ids=["empty", "three bytes", "zeros", "svg", "half", "bomb", "smaller bomb"],
)
def test_a_hostile_picture_is_refused_in_a_sentence_and_costs_one_answer(
    service: Service, picture: bytes, status: int
) -> None:
    service.match(picture).problem(status)
    assert everywhere(lambda: service.match(CAT).json["action"] == "hold", 4)


def test_many_hostile_pictures_at_once_leave_signals_to_be_looked_up(service: Service) -> None:
    with ThreadPoolExecutor(24) as pool:
        attempts = [pool.submit(service.match, bomb(8_000, 8_000)) for _ in range(48)]
        assert everywhere(lambda: service.lookup(pdq(ASTRONAUT)).json["action"] == "hold", 30)
        statuses = {each.result().status for each in attempts}
    assert statuses <= {422, 429, 503}


# Logs


def test_neither_keys_nor_signals_nor_what_was_sent_is_in_the_log(service: Service) -> None:
    service.lookup(pdq(ASTRONAUT))
    service.lookup(md5_of(CAT))
    service.ask("GET", f"/{pdq_value(9)}")
    service.ask("POST", "/v1/lookup", b"sesame", content_type="application/json")
    with service.connect() as sock:
        sock.sendall(b"SESAME " + service.key.encode() + b"\r\n\r\n")
        read_all(sock)
    time.sleep(0.2)
    assert secrets_in(service.log) == []
    assert service.key not in service.log
    assert "sesame" not in service.log.lower()


def test_nothing_that_was_sent_is_in_the_figures(service: Service) -> None:
    service.ask("GET", f"/v1/lookup/{pdq_value(9)}")
    text = service.ask("GET", "/metrics").body.decode()
    assert secrets_in(text) == []
    assert service.key not in text


def test_whoever_reads_the_file_of_keys_has_no_key(service: Service) -> None:
    text = (service.folder.parent / "match-keys.json").read_text()
    assert service.key not in text
    assert Keys(service.folder.parent / "match-keys.json").owner(service.key.encode()) is not None
