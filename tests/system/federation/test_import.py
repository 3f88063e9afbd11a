"""A bank that is itself a platform of a StopNCII server and a member of an NCMEC server, over sockets."""

from __future__ import annotations

from tests.personas import pdq_value
from tests.system.federation.banks import Ring


def test_a_bank_takes_in_what_a_stopncii_server_has_and_tells_it_what_became_of_it(ring: Ring) -> None:
    server, _, _ = ring.banks
    bank = ring.subscriber
    kept, gone = pdq_value(11), pdq_value(12)
    server.case([kept])
    case = server.case([gone])
    keys = server.vet("Bank D")
    wanted = {name: keys[name] for name in ("fetch_key", "subscription_key", "feedback_key")}
    bank.subscribe("Server", "stopncii", f"http://127.0.0.1:{server.port}/v1", wanted)
    assert bank.sync() == []
    assert [bank.signals()[value] for value in (kept, gone)] == [["active", "Server"]] * 2

    bank.feedback("Forum", kept, "NotBlocked", "reason:not-intimate")
    bank.feedback("Other forum", kept, "Blocked")
    assert bank.sync() == []
    assert ["Bank D", "Blocked", []] in server.said(kept)

    server.withdraw(case)
    assert bank.sync() == []
    assert bank.signals()[gone] == ["withdrawn"]
    # Its own platforms may still hold it, so the bank says nothing yet; then that all are done.
    assert bank.sync() == []
    assert server.signals()[gone] == ["withdrawn"]
    assert bank.erase() == 1
    assert bank.sync() == []
    assert gone not in server.signals()
    assert bank.states()[0][-1] == ""


def test_a_bank_takes_in_what_an_ncmec_server_has_and_votes_on_it(ring: Ring) -> None:
    _, server, _ = ring.banks
    bank = ring.subscriber
    kept, gone = pdq_value(21), pdq_value(22)
    server.case([kept])
    case = server.case([gone])
    server.pass_time(100)
    keys = server.vet("Bank D")
    address = f"http://127.0.0.1:{server.port}/ncmec"
    bank.subscribe("Clearing house", "ncmec", address, {"user": "Bank D", "password": keys["platform_key"]})
    assert bank.sync() == []
    assert [bank.signals()[value] for value in (kept, gone)] == [["active", "Clearing house"]] * 2
    before = bank.moments()
    assert bank.sync() == []
    assert bank.moments() == before

    bank.feedback("Forum", kept, "NotBlocked", "reason:not-the-same")
    assert bank.sync() == []
    assert server.said(kept) == [["Bank D", "NotBlocked", ["reason:not-the-same"]]]

    server.withdraw(case)
    server.feedback("Somebody", kept, "Blocked")
    # Within the time that is asked for again.
    server.pass_time(10)
    assert bank.sync() == []
    assert bank.signals()[gone] == ["withdrawn"]
    assert bank.signals()[kept] == ["active", "Clearing house"]


def test_a_peer_that_cannot_be_read_is_named_with_what_to_do(ring: Ring) -> None:
    bank = ring.subscriber
    bank.subscribe("Nobody", "ncmec", "http://127.0.0.1:9/ncmec", {"user": "x", "password": "y"})
    [fault] = bank.sync()
    assert "cannot be reached" in fault
    assert [state[-1] for state in bank.states() if state[0] == "Nobody"] == [fault]
