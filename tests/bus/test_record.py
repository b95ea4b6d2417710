"""The record of a session is encoded, and another process continues the session from it."""

from __future__ import annotations

from math import inf

import msgspec
import pytest

from mirant.bayeux.channels import Pattern
from mirant.bus.identity import Identity
from mirant.bus.record import SessionRecord
from mirant.bus.session import Ending
from mirant.extensions.ack import Ack
from mirant.testing import PollingClient, World
from tests.policy.rulebooks import rulebook


def moved(client: PollingClient, to: World) -> PollingClient:
    """Let the session of *client* go on in the world *to*; return the client there."""
    written = client.session.record.encode()
    to.core.adopt(SessionRecord.decode(written))
    other = to.polling()
    other.client_id, other.cookie, other.last_id = client.client_id, client.cookie, 1_000
    return other


def test_a_record_is_what_it_was_after_being_written_and_read() -> None:
    world = World()
    client = world.polling().enter()
    client.subscribe(["/a", "/b/**"])
    record = client.session.record
    record.identity = Identity("alice", frozenset({"admin"}), {"exp": 12, "tags": ["x"]}, 60.0, b"digest")
    assert SessionRecord.decode(record.encode()) == record


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x80", b"\xc1nonsense"])
def test_what_is_not_a_record_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        SessionRecord.decode(data)


def test_another_process_delivers_what_the_session_subscribed_to() -> None:
    here, there = World(), World()
    client = here.polling().enter()
    client.subscribe(["/a", "/b/*"])
    other = moved(client, there)
    poll = other.connect()
    assert poll.held
    there.publish("/b/x", "hello")
    assert other.data == ["hello"]


def test_another_process_resends_what_was_not_acknowledged() -> None:
    here, there = World().use(Ack()), World().use(Ack())
    client = here.polling()
    client.handshake(ext={"ack": True})
    client.subscribe("/a")
    client.connect(ext={"ack": 0})
    poll = client.connect(ext={"ack": 1})
    with here.tick():
        for number in range(3):
            here.publish("/a", number)
    assert poll.reply["ext"]["ack"] == 2
    other = moved(client, there)
    reply = other.connect(ext={"ack": 1}).reply
    assert other.data == [0, 1, 2]
    assert reply["ext"]["ack"] == 3
    poll = other.connect(ext={"ack": 3})
    there.publish("/a", "new")
    assert other.data == [0, 1, 2, "new"]


def test_another_process_keeps_what_was_negotiated_with_the_session() -> None:
    here, there = World(), World()
    client = here.polling().enter()
    client.session.timeout = 7.0
    client.session.echo = False
    client.subscribe("/a")
    other = moved(client, there)
    poll = other.connect()
    there.advance(6.9)
    assert poll.response is None
    there.advance(0.2)
    assert poll.status == 200
    other.publish("/a", "mine")
    assert other.connect().held


def test_an_adopted_session_that_nobody_asks_for_expires() -> None:
    here, there = World(), World()
    moved(here.polling().enter(), there)
    there.advance(11)
    assert there.is_empty()


def test_an_adopted_session_is_still_bound_to_its_browser() -> None:
    here, there = World(), World()
    other = moved(here.polling().enter(), there)
    other.cookie = None
    assert other.connect().reply["error"] == "402::session_unknown"


def test_the_rules_of_the_other_process_hold_there() -> None:
    here, there = World(), World()
    client = here.polling().enter()
    client.subscribe("/a")
    there.enforce(rulebook('[[channel]]\nmatch = "/b"\nsubscribe = "anyone"'))
    other = moved(client, there)
    assert other.session.subscriptions == set()
    assert Pattern.parse("/a") not in there.core.hub.subscriptions


def test_an_identity_runs_out_in_the_other_process_when_it_would_have_here() -> None:
    here, there = World(), World()
    client = here.polling().enter()
    identity = Identity("alice", valid_for=60.0)
    here.core._enforcing.identify(client.session, identity, here.now)
    here.advance(3)
    record = here.core.hub.local_record(client.session.id)
    assert record is not None
    assert record.identity_left == 57.0
    record.max_interval = 1_000.0  # silence does not end it
    session = there.core.adopt(SessionRecord.decode(record.encode()))
    there.advance(56.5)
    assert not session.ended
    there.advance(1)
    assert session.ending is Ending.IDENTITY_EXPIRED


def test_an_identity_without_an_end_has_none_in_the_other_process() -> None:
    here, there = World(), World()
    client = here.polling().enter()
    here.core._enforcing.identify(client.session, Identity("alice"), here.now)
    here.advance(3)
    record = here.core.hub.local_record(client.session.id)
    assert record is not None
    assert record.identity_left is None
    assert there.core.adopt(record).identity_until == inf
