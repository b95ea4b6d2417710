"""The CometD JavaScript client, as npm has it, against a server process: both transports, no changes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.interop.scenario import Event, Scenario
from tests.interop.server import Server

pytestmark = pytest.mark.interop

SCRIPTS = Path(__file__).parent / "cometd"
TRANSPORTS = ("websocket", "long-polling")


class Report:
    """The events of a finished scenario."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def one(self, name: str) -> Event:
        """Return the only event called *name*."""
        [event] = self.all(name)
        return event

    def all(self, name: str) -> list[Event]:
        """Return the events called *name*, in order."""
        return [event for event in self._events if event["event"] == name]


class Start(Protocol):
    """Starts a script against a server."""

    def __call__(self, script: str, server: Server) -> Scenario: ...


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run one server for all tests that leave it as they found it."""
    with Server(tmp_path_factory.mktemp("server") / "log") as server:
        yield server


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Run the test once on each transport."""
    name: str = request.param
    return name


@pytest.fixture
def start(transport: str, tmp_path: Path) -> Start:
    """Give a function that starts a script on the transport under test."""

    def start(script: str, server: Server) -> Scenario:
        return Scenario(SCRIPTS / f"{script}.mjs", tmp_path / "log", url=server.url, transport=transport)

    return start


@pytest.fixture
def run(start: Start, server: Server) -> Callable[[str], Report]:
    """Give a function that runs a script to its end."""

    def run(script: str) -> Report:
        with start(script, server) as scenario:
            return Report(scenario.finish())

    return run


Run = Callable[[str], Report]


def test_handshake_and_disconnect(run: Run, transport: str) -> None:
    report = run("handshake")

    connected = report.one("connected")
    assert connected["transport"] == transport
    assert connected["handshake"]["successful"] is True
    assert connected["handshake"]["version"] == "1.0"
    assert transport in connected["handshake"]["supportedConnectionTypes"]
    assert connected["clientId"] == connected["handshake"]["clientId"]
    # The first connect is answered at once; held, it would take the advised timeout of 30 seconds.
    assert connected["connect"]["successful"] is True
    assert connected["seconds"] < 10
    advice = connected["handshake"]["advice"]
    assert advice["reconnect"] == "retry"
    assert advice["timeout"] >= 10_000
    goodbye = report.one("disconnected")
    assert goodbye["reply"]["successful"] is True
    assert goodbye["status"] == "disconnected"


@pytest.mark.parametrize("transport", ["any"])
def test_a_client_with_a_choice_takes_the_websocket(run: Run) -> None:
    assert run("handshake").one("connected")["transport"] == "websocket"


@pytest.mark.parametrize("transport", ["any"])
def test_a_client_falls_back_to_long_polling(start: Start, tmp_path: Path) -> None:
    with Server(tmp_path / "server", "polling") as server, start("handshake", server) as scenario:
        connected = Report(scenario.finish()).one("connected")

    assert connected["transport"] == "long-polling"
    assert connected["connect"]["successful"] is True


def test_publish_and_subscribe(run: Run) -> None:
    report = run("publish")

    subscribed = report.one("subscribed")["reply"]
    assert subscribed["successful"] is True
    assert subscribed["subscription"] == "/news"
    published = report.one("published")["reply"]
    assert published["successful"] is True
    assert "data" not in published
    assert report.one("delivered")["message"] == {"channel": "/news", "data": {"text": "hello"}}
    echoed = report.one("echoed")
    assert echoed["own"] == [{"text": "again"}]
    assert echoed["received"] == [{"text": "hello"}, {"text": "again"}]


def test_overlapping_wildcards_deliver_once(run: Run) -> None:
    report = run("wildcards")

    assert all(event["reply"]["successful"] for event in report.all("subscribed"))
    assert {event["pattern"]: event["channels"] for event in report.all("heard")} == {
        "/stocks/ny/orcl": ["/stocks/ny/orcl"],
        "/stocks/ny/*": ["/stocks/ny/orcl", "/stocks/ny/ibm"],
        "/stocks/**": ["/stocks/ny/orcl", "/stocks/ny/ibm", "/stocks/london/bp"],
    }


def test_messages_arrive_in_order(run: Run) -> None:
    report = run("order")

    assert report.one("single")["numbers"] == list(range(200))
    assert report.one("batched")["numbers"] == list(range(200))


def test_a_batch_is_done_in_its_order(run: Run) -> None:
    report = run("batch")

    replies = report.one("replies")["replies"]
    assert [reply["channel"] for reply in replies] == [
        "/batch",
        "/meta/subscribe",
        "/batch",
        "/meta/unsubscribe",
        "/batch",
    ]
    assert all(reply["successful"] for reply in replies)
    assert report.one("heard")["data"] == ["during"]


def test_remote_calls(run: Run) -> None:
    report = run("call")

    echoed = report.all("echoed")
    assert len(echoed) == 10
    for event in echoed:
        assert event["successful"] is True
        assert _same_json(event["data"], event["value"])
    failed = report.one("failed")
    assert failed["successful"] is False
    assert "failed on purpose" in str(failed["data"])
    assert report.one("concurrent")["numbers"] == list(range(50))


def _same_json(left: Any, right: Any) -> bool:
    """Compare as JSON does: ``0`` is not ``False``."""
    return type(left) is type(right) and bool(left == right)


def test_after_unsubscribe_nothing_arrives(run: Run) -> None:
    report = run("unsubscribe")

    assert report.one("unsubscribed")["reply"]["successful"] is True
    assert report.one("heard")["data"] == ["while subscribed"]


def test_text_beyond_ascii(run: Run) -> None:
    texts = run("unicode").all("text")

    assert len(texts) == 8
    for text in texts:
        assert text["published"] == text["sent"]
        assert text["called"] == text["sent"]


def test_a_large_message_passes_and_a_larger_one_fails_alone(run: Run) -> None:
    report = run("large")

    assert report.one("delivered")["intact"] is True
    assert report.one("refused")["successful"] is False
    recovered = report.one("recovered")
    assert recovered["data"] == {"text": "small again"}
    assert recovered["sameSession"] is True


def test_what_the_server_publishes(run: Run) -> None:
    assert run("ticker").one("delivered")["messages"] == [
        {"channel": "/ticker/orcl", "data": {"number": number}} for number in range(5)
    ]


def test_a_restarted_server_gets_its_clients_back(start: Start, tmp_path: Path) -> None:
    with Server(tmp_path / "server") as server, start("recovery", server) as scenario:
        scenario.until("ready")
        server.restart()
        report = Report(scenario.finish())

    unknown = report.all("connect failed")[-1]
    assert unknown["error"].startswith("402:")
    assert unknown["advice"]["reconnect"] == "handshake"
    assert report.one("handshaken") == {"event": "handshaken", "reestablish": True, "sameSession": False}
    assert report.one("recovered")["data"] == ["before", "after"]


def test_a_client_that_slept_too_long_comes_back(start: Start, tmp_path: Path) -> None:
    with Server(tmp_path / "server", "forgetful") as server, start("recovery", server) as scenario:
        lost = scenario.until("ready")["clientId"]
        scenario.suspend()
        server.wait_for(f"left: {lost}")
        scenario.resume()
        report = Report(scenario.finish())

    unknown = report.all("connect failed")[-1]
    assert unknown["error"].startswith("402:")
    assert unknown["advice"] == {"reconnect": "handshake", "interval": 0}
    assert report.one("handshaken") == {"event": "handshaken", "reestablish": True, "sameSession": False}
    assert report.one("recovered")["data"] == ["before", "after"]


def test_a_dismissed_client_stays_away(run: Run) -> None:
    dismissed = run("dismissed").one("dismissed")

    assert dismissed["message"] == {"channel": "/meta/disconnect", "successful": True}
    assert dismissed["status"] == "disconnected"


def test_two_windows_of_one_browser(run: Run, transport: str) -> None:
    report = run("windows")

    if transport == "long-polling":
        advice = report.one("advised")["advice"]
        assert advice["multiple-clients"] is True
        assert advice["reconnect"] == "retry"
        assert advice["interval"] > 0
    assert report.one("heard")["data"] == [["from the first", "from the second"]] * 2


def test_the_extensions_of_the_client(start: Start, tmp_path: Path) -> None:
    with Server(tmp_path / "server", "ahead") as server, start("extensions", server) as scenario:
        report = Report(scenario.finish())

    assert report.one("synchronised")["offset"] == pytest.approx(3_600_000, abs=5_000)
    assert report.one("binary") == {
        "event": "binary",
        "intact": True,
        "last": True,
        "meta": {"name": "all"},
        "timestamp": "string",
    }


def test_with_acknowledgements_a_lost_answer_is_sent_again(run: Run) -> None:
    report = run("acknowledged")

    assert report.one("handshaken")["ack"] in (True, {"enabled": True, "batch": 1})
    assert report.one("received") == {"event": "received", "lost": 1, "numbers": list(range(20))}
