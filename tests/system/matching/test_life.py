"""A service whose indexes, workers and decoders change under it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reclaim.index import HammingIndex, create_stored
from reclaim.matching.state import FolderState, save_state
from tests.personas import pdq_value
from tests.system.matching.service import Service, everywhere, kill, make_folder, until
from tests.system.matching.world import ASTRONAUT, COFFEE, GALAXIES, pdq


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two workers over indexes that the tests write to, with one decoder each and no picture waiting.

    They search so far that lookups are done in threads.
    """
    folder = make_folder(tmp_path_factory.mktemp("changing") / "index", {1: pdq(ASTRONAUT)})
    served = Service(folder, options=("--decoders", "2", "--waiting", "0", "--review-distance", "48"))
    with served:
        yield served


def ids(service: Service, value: str) -> list[int]:
    return [match["id"] for match in service.lookup(value).json["matches"]]


def test_a_new_signal_is_found_and_a_withdrawn_one_gone_without_a_restart(changing: Service) -> None:
    before = changing.worker_pids()
    with changing.writer() as writer:
        assert ids(changing, pdq_value(50)) == []
        writer.add(50, bytes.fromhex(pdq_value(50)))
        until(lambda: everywhere(lambda: ids(changing, pdq_value(50)) == [50]))
        writer.remove(50)
        until(lambda: everywhere(lambda: ids(changing, pdq_value(50)) == []))
    assert changing.worker_pids() == before


def test_a_withdrawn_picture_is_clear_again(changing: Service) -> None:
    with changing.writer() as writer:
        writer.add(60, bytes.fromhex(pdq(COFFEE)))
        until(lambda: everywhere(lambda: changing.match(COFFEE).json["action"] == "hold", 4))
        writer.remove(60)
        until(lambda: everywhere(lambda: changing.match(COFFEE).json["action"] == "none", 4))


def test_while_snapshots_are_replaced_no_answer_is_wrong_and_none_fails(changing: Service) -> None:
    stop = threading.Event()

    def ask() -> int:
        asked = 0
        while not stop.is_set():
            assert ids(changing, pdq(ASTRONAUT)) == [1]
            assert ids(changing, pdq_value(71)) == []
            asked += 2
        return asked

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            with changing.writer() as writer:
                for number in range(8):
                    writer.add(80 + number, bytes.fromhex(pdq_value(80 + number)))
                    writer.compact()
                    until(
                        lambda number=number: everywhere(lambda: ids(changing, pdq_value(80 + number)) == [80 + number])
                    )  # type: ignore[misc]
        finally:
            stop.set()
        assert all(each.result() > 10 for each in asking)


def test_a_worker_that_is_killed_is_replaced_and_the_service_goes_on(changing: Service) -> None:
    before = changing.worker_pids()
    count = changing.metric("reclaim_match_requests_total")
    kill(before[0])
    until(lambda: len(changing.worker_pids()) == 2 and before[0] not in changing.worker_pids())
    until(lambda: everywhere(lambda: changing.answers("/ready")))
    assert before[1] in changing.worker_pids()
    assert everywhere(lambda: ids(changing, pdq(ASTRONAUT)) == [1])
    assert changing.metric("reclaim_match_requests_total") > count, "its successor goes on with its counts"


def test_the_decoders_of_a_killed_worker_end_with_it(changing: Service) -> None:
    # The server takes a second death of one worker within seconds for a crash loop, so this kills the other one.
    victim = changing.worker_pids()[0]
    until(lambda: len(changing.decoder_pids()) == 2)
    before = set(changing.decoder_pids())
    kill(victim)
    until(lambda: sum(Path(f"/proc/{pid}").exists() for pid in before) == 1)
    until(lambda: len(changing.worker_pids()) == 2)
    until(lambda: len(changing.decoder_pids()) == 2)
    until(lambda: everywhere(lambda: changing.answers("/ready")))


def test_with_all_decoders_taken_a_picture_is_refused_at_once_and_signals_are_still_looked_up(
    changing: Service,
) -> None:
    decoders = changing.decoder_pids()
    for pid in decoders:
        os.kill(pid, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(12) as pool:
            # Two are taken, one by each worker; however the connections fall, the rest find no place.
            pictures = [pool.submit(changing.match, GALAXIES) for _ in range(12)]
            until(lambda: sum(each.done() for each in pictures) >= 10)
            refused = [each.result() for each in pictures if each.done()]
            for answer in refused:
                assert answer.problem(503)["detail"].startswith("As many pictures as can be")
                assert int(answer.headers["retry-after"]) > 0
            assert everywhere(lambda: ids(changing, pdq(ASTRONAUT)) == [1])
            for pid in decoders:
                os.kill(pid, signal.SIGCONT)
            assert {each.result().status for each in pictures if each.result() not in refused} == {200}
    finally:
        for pid in decoders:
            os.kill(pid, signal.SIGCONT)


def test_a_decoder_that_dies_costs_one_answer(changing: Service) -> None:
    decoders = changing.decoder_pids()
    for pid in decoders:
        os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        picture = pool.submit(changing.match, GALAXIES)
        until(lambda: changing.metric("reclaim_match_pictures_decoding") == 1)
        for pid in decoders:
            kill(pid)
        assert "failed half-way" in picture.result().problem(422)["detail"]
    until(lambda: everywhere(lambda: changing.match(GALAXIES).status in (200, 422)), 30)
    assert everywhere(lambda: changing.match(GALAXIES).status == 200)


def test_asked_to_stop_it_answers_what_is_under_way_and_leaves_no_process(tmp_path: Path) -> None:
    with Service(make_folder(tmp_path / "index", {1: pdq(ASTRONAUT)})) as service:
        workers = service.worker_pids()
        data = ASTRONAUT.read_bytes()
        with service.connect() as sender:
            sender.sendall(
                f"POST /v1/match HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.key}\r\n"
                f"Content-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n".encode()
                + data[:1000]
            )
            until(lambda: service.metric("reclaim_match_pictures_waiting") == 1)
            process = service.first_process()
            process.terminate()
            until(lambda: not service.answers("/live"))
            sender.sendall(data[1000:])
            answer = sender.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"action":"hold"' in answer
        assert process.wait(timeout=60) == 0
        assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def test_it_is_not_ready_until_there_is_an_index_nor_when_the_feed_is_long_ago(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    with Service(tmp_path / "index", workers=1, wait_until_ready=False) as service:
        detail = service.ask("GET", "/ready", key="").problem(503)["detail"]
        assert "no pdq.index, no md5.index and no video.index" in detail
        service.lookup(pdq_value(1)).problem(503)
        service.lookup("0" * 32).problem(503)
        create_stored(service.folder / "pdq.index", HammingIndex())
        until(lambda: service.answers("/ready"))
        service.lookup("0" * 32).problem(503)
        long_ago = time.time() - 25 * 3600
        state = FolderState(
            store="a", version=1, newest=1, followed_at=long_ago, compacted_at=long_ago, compacted_version=1
        )
        save_state(service.folder, state)
        never = state.model_copy(update={"followed_at": None})
        save_state(service.folder, never)
        until(lambda: not service.answers("/ready"))
        assert "to its end yet" in service.ask("GET", "/ready").problem(503)["detail"]
        save_state(service.folder, state)
        until(lambda: "to its end yet" not in service.ask("GET", "/ready").json["detail"])
        assert "followed the feed" in service.ask("GET", "/ready").problem(503)["detail"]
        assert service.metric("reclaim_match_feed_stale_seconds") > 24 * 3600
        assert service.lookup(pdq_value(1)).status == 200, "what is known still answers"
        save_state(service.folder, state.model_copy(update={"followed_at": time.time()}))
        until(lambda: service.answers("/ready"))
        (service.folder / "pdq.index").unlink()
        until(lambda: not service.answers("/ready"))
        assert "were last read" in service.ask("GET", "/ready").problem(503)["detail"]
        assert service.answers("/live")


def test_a_first_process_that_is_killed_takes_its_workers_with_it(tmp_path: Path) -> None:
    service = Service(make_folder(tmp_path / "index"))
    service.start()
    workers = service.worker_pids()
    service.first_process().kill()
    service.first_process().wait()
    until(lambda: not [pid for pid in workers if Path(f"/proc/{pid}").exists()])
