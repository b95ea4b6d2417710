"""The audit log has one line per event, a bounded number of them, and no secrets. Nobody can forge a line."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.bus import log_lines
from mirant.bus.audit import Audit
from mirant.bus.clock import Clock
from mirant.testing import World
from tests.policy.test_rule_guard import OPEN, enter, ruled


class Log(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def log() -> Iterator[Log]:
    handler = Log()
    logger = logging.getLogger("mirant.audit")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def suppressed(lines: list[str]) -> int:
    """Return how many events the *lines* say were not written."""
    return sum(int(found[1]) for line in lines if (found := re.search(r" suppressed=(\d+)$", line)))


# --- How many ---


def test_an_event_is_a_name_and_facts(log: Log) -> None:
    Audit(Clock()).event(1_000.0, "publish.denied", "203.0.113.9", channel="/a", user=None, rule="/**@3")
    assert log.lines == ["publish.denied address=203.0.113.9 channel=/a rule=/**@3"]


def test_ten_of_a_kind_from_one_address_follow_each_other_and_then_one_in_five_seconds(log: Log) -> None:
    audit = Audit(Clock())
    for _ in range(100):
        audit.event(1_000.0, "publish.denied", "203.0.113.9")
    assert len(log.lines) == 10
    audit.event(1_004.9, "publish.denied", "203.0.113.9")
    assert len(log.lines) == 10
    audit.event(1_005.0, "publish.denied", "203.0.113.9")
    assert log.lines[10:] == ["publish.denied address=203.0.113.9 suppressed=91"]
    audit.event(1_005.0, "publish.denied", "203.0.113.9")
    assert len(log.lines) == 11
    for _ in range(100):
        audit.event(2_000.0, "publish.denied", "203.0.113.9")
    assert len(log.lines) == 21, "who was quiet for long may be heard as much as at first, and no more"


def test_other_addresses_and_other_kinds_are_counted_apart(log: Log) -> None:
    audit = Audit(Clock())
    for _ in range(20):
        audit.event(1_000.0, "publish.denied", "203.0.113.9")
    audit.event(1_000.0, "publish.denied", "203.0.113.10")
    audit.event(1_000.0, "subscribe.denied", "203.0.113.9")
    assert len(log.lines) == 12
    assert suppressed(log.lines) == 10


def test_of_all_addresses_together_a_hundred_a_second(log: Log) -> None:
    audit = Audit(Clock())
    for number in range(1_000):
        audit.event(1_000.5, "publish.denied", f"203.0.{number // 256}.{number % 256}")
    assert len(log.lines) == 100
    audit.event(1_001.0, "publish.denied", "198.51.100.1")
    assert log.lines[100:] == ["publish.denied address=198.51.100.1 suppressed=900"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"]), st.floats(0, 20)), max_size=200)
)
def test_each_event_is_written_or_counted(events: list[tuple[str, str, float]]) -> None:
    log = Log()
    logging.getLogger("mirant.audit").addHandler(log)
    try:
        audit, now = Audit(Clock()), 1_000.0
        for address, name, pause in events:
            now += pause * pause / 20
            audit.event(now, name, address)
        audit.event(now + 1_000, "last", "z")
    finally:
        logging.getLogger("mirant.audit").removeHandler(log)
    assert len(log.lines) + suppressed(log.lines) == len(events) + 1


@pytest.mark.usefixtures("log")
def test_a_million_addresses_take_no_more_memory_than_some_thousand() -> None:
    audit = Audit(Clock())
    for number in range(50_000):
        audit.event(1_000.0 + number / 10, "publish.denied", f"2001:db8::{number:x}")
    assert len(audit._lines._sources) == 4_096
    assert sys.getsizeof(audit._lines._sources) < 1_000_000


@pytest.mark.usefixtures("log")
def test_long_addresses_take_no_more_memory_than_short_ones() -> None:
    audit = Audit(Clock())
    for number in range(1_000):
        audit.event(1_000.0, "publish.denied", f"{number} {'x' * 60_000}")
    assert max(len(address) for _, address in audit._lines._sources) < 100


# --- What ---


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("alice", "alice"),
        ("alice@example.org", "alice@example.org"),
        ("2001:db8::1", "2001:db8::1"),
        ("/users/{user}/**@12", "/users/{user}/**@12"),
        (7, "7"),
        ("", '""'),
        ("alice smith", '"alice smith"'),
        ("x rule=none", '"x rule=none"'),
        ("x=y", '"x=y"'),
        ('"quoted"', '"\\"quoted\\""'),
        ("a\nhandshake.denied address=1.2.3.4", '"a\\nhandshake.denied address=1.2.3.4"'),
        ("a\n", '"a\\n"'),
        ("a\r\x1b[2J\x00", '"a\\r\\u001b[2J\\u0000"'),
        ("\u2028\u202e\x85é", '"\\u2028\\u202e\\u0085\\u00e9"'),
        ("%s%d", '"%s%d"'),
        ("x" * 1_000, "x" * 256),
    ],
)
def test_a_value_is_one_word_whatever_it_is_made_of(log: Log, value: object, written: str) -> None:
    Audit(Clock()).event(1_000.0, "publish.denied", None, user=value)
    assert log.lines == [f"publish.denied user={written}"]


@given(st.text(max_size=300))
def test_no_value_begins_another_line_or_another_fact(text: str) -> None:
    log = Log()
    logging.getLogger("mirant.audit").addHandler(log)
    try:
        Audit(Clock()).event(1_000.0, "publish.denied", "203.0.113.9", user=text, rule="none")
    finally:
        logging.getLogger("mirant.audit").removeHandler(log)
    [line] = log.lines
    assert line.isascii()
    assert line.isprintable()
    beside = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
    assert [word.partition("=")[0] for word in beside.split()] == [
        "publish.denied",
        "address",
        "user",
        "rule",
    ]
    assert len(line) < 12 * 256 + 100


# --- From a dialogue ---


def test_events_have_neither_what_was_said_nor_credentials(log: Log) -> None:
    world = ruled(
        '[[channel]]\nmatch = "/a"\nsubscribe = "role:x"\n[[channel]]\nmatch="/service/x"\ncall = "server"'
    )
    client = enter(world, "alice")
    identity = client.client_id or ""
    client.publish("/a", "payload-1", ext={"token": "payload-2"}, field="payload-3")
    client.publish("/service/x", "payload-4")
    client.subscribe("/a")
    thief = world.polling()
    thief.client_id = identity
    thief.connect()
    assert [line.split()[0] for line in log.lines] == [
        "publish.denied",
        "call.denied",
        "subscribe.denied",
        "session.stranger",
    ]
    text = "\n".join(log.lines)
    assert "payload" not in text
    assert identity not in text
    assert identity[:8] in text
    assert client.cookie is not None
    assert client.cookie not in text


def test_a_handshake_that_is_denied_is_written_with_the_name(log: Log) -> None:
    world = ruled(
        '[[channel]]\nmatch = "/meta/handshake"\ncall = { allow = "anyone", deny = "user:mallory" }\n' + OPEN
    )
    world.polling().handshake(ext={"me": "mallory"})
    assert log.lines == ["handshake.denied address=127.0.0.1 user=mallory rule=/meta/handshake@1"]


def test_without_rules_nobody_is_denied_anything(log: Log) -> None:
    client = World().polling().enter()
    client.publish("/a", 1)
    assert log.lines == []


@pytest.mark.parametrize("second", [0, 1, 1_000])
def test_a_hundred_a_second_in_the_first_second_too(log: Log, second: int) -> None:
    audit = Audit(Clock())
    for number in range(300):
        audit.event(second + number / 301, "publish.denied", f"203.0.113.{number}")
    assert len(log.lines) == 100
    audit.event(second + 1.0, "publish.denied", "203.0.114.1")
    assert suppressed(log.lines) == 200


def written(audit: Audit, log: Log, address: str, count: int = 1) -> int:
    """Let *count* events be caused from *address* in one second; return how many are written."""
    before = len(log.lines)
    for _ in range(count):
        audit.event(1_000.0, "publish.denied", address)
    return len(log.lines) - before


def test_of_too_many_addresses_the_one_not_heard_of_for_longest_is_counted_anew(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_lines, "_MAX_SOURCES", 3)
    audit = Audit(Clock())
    assert [written(audit, log, address, 12) for address in "abc"] == [10, 10, 10]
    assert written(audit, log, "a") == 0, "three are known, and a is the one heard of last"
    assert written(audit, log, "d") == 1
    assert [written(audit, log, address) for address in ("c", "a")] == [0, 0]
    assert written(audit, log, "b") == 1, "it gave way"


def test_addresses_are_told_apart_by_their_first_64_characters(log: Log) -> None:
    audit = Audit(Clock())
    assert written(audit, log, "x" * 64, 12) == 10
    assert written(audit, log, "x" * 64 + "y") == 0
    assert written(audit, log, "x" * 63 + "y") == 1
