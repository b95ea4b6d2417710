"""What clients must do, as tests: the class of a client inherits them, and its fixture runs the client."""

from typing import Any, ClassVar

import pytest

from tests.interop.scenario import Event

#: What one run of the battery saw, by the name of the event.
Report = dict[str, Event]


class Client:
    """One client on one platform, whose fixture ``report`` gives what it saw on the transport under test."""

    # The first test waits for the whole battery, in a browser, on a machine that may be busy.
    pytestmark = pytest.mark.timeout(90)

    #: The client as the table names it.
    client: ClassVar[str]
    #: Where it runs.
    platform: ClassVar[str]
    #: The transports that it has there.
    transports: ClassVar[tuple[str, ...]]


class Features(Client):
    """What every client does."""

    def test_handshake(self, report: Report, transport: str) -> None:
        assert report["subscribed"]["transport"] == transport

    def test_publish(self, report: Report) -> None:
        assert report["published"]["data"] == [{"text": "hällo €"}]

    def test_wildcards(self, report: Report) -> None:
        assert report["wildcards"]["one"] == ["/stocks/ny/orcl"]
        assert report["wildcards"]["many"] == ["/stocks/ny/orcl", "/stocks/london/bp"]

    def test_order(self, report: Report) -> None:
        assert report["ordered"]["own"] == list(range(60))
        assert report["ordered"]["servers"] == list(range(60))

    def test_unsubscribe(self, report: Report) -> None:
        assert report["unsubscribed"]["data"] == [{"text": "while subscribed"}]

    def test_restart(self, report: Report) -> None:
        assert report["recovered"]["data"] == [{"text": "before"}, {"text": "after"}]

    def test_disconnect(self, report: Report) -> None:
        assert "disconnected" in report


class Batches(Client):
    """What clients do that can send several messages at once."""

    def test_batch(self, report: Report) -> None:
        assert report["batched"]["numbers"] == list(range(10))


class Calls(Client):
    """What clients do that have remote calls."""

    def test_call(self, report: Report) -> None:
        echoed, failed = report["called"]["echoed"], report["called"]["failed"]
        assert echoed == {"successful": True, "data": {"a": [None, True, "ü", {"b": 1.5}]}}
        assert failed["successful"] is False
        assert "failed on purpose" in str(failed["data"])


def as_report(events: list[dict[str, Any]]) -> Report:
    """Return *events* by name."""
    return {event["event"]: event for event in events}
