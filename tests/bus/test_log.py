"""The log says when sessions begin and end. It never has a whole id."""

from __future__ import annotations

import logging

import pytest

from mirant.testing import World


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "mirant")
    return caplog


def test_a_session_is_logged_with_the_beginning_of_its_id(lines: pytest.LogCaptureFixture) -> None:
    client = World().polling().enter()
    label = client.session.label
    client.disconnect()
    assert [(record.levelname, record.getMessage()) for record in lines.records] == [
        ("DEBUG", f"session.opened session={label}"),
        ("INFO", f"session.disconnected session={label}"),
    ]
    assert client.client_id is not None
    assert client.client_id not in lines.text


def test_each_end_is_logged_by_its_reason(lines: pytest.LogCaptureFixture) -> None:
    world = World(max_outbox=10)
    expired, dismissed, full = (world.polling().enter() for _ in range(3))
    full.subscribe("/a")
    labels = [client.session.label for client in (dismissed, full, expired)]
    world.dismiss(dismissed.session)
    world.publish("/a", "x" * 100)
    world.publish("/a", "y")
    world.advance(100)
    ends = [record.getMessage() for record in lines.records if record.levelname == "INFO"]
    assert ends == [
        f"session.dismissed session={labels[0]}",
        f"session.outbox-full session={labels[1]}",
        f"session.expired session={labels[2]}",
    ]
