"""Which requests are Bayeux, by which transport, and which of them are let in."""

import pytest

from mirant.bus.carrier import Request
from mirant.hosts.gate import Gate, announces_more, over_limit, text_of, transport_of
from mirant.options.settings import Settings

OWN = Request({"host": "bus.example"})
FOREIGN = Request({"host": "bus.example", "origin": "https://other.example"})
ORIGIN = ("access-control-allow-origin", "https://other.example")


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """No host."""


@pytest.fixture
def refused() -> list[Request]:
    """Return the requests that a gate told of."""
    return []


def gate(refused: list[Request], **options: object) -> Gate:
    return Gate(Settings(**options), refused.append)  # type: ignore[arg-type]  # any of them


@pytest.mark.parametrize(
    ("method", "accept", "query", "transport"),
    [
        ("POST", None, b"", "long-polling"),
        ("POST", "text/event-stream", b"jsonp=f&message=[]", "long-polling"),
        ("GET", "text/event-stream", b"", "eventsource"),
        ("GET", "text/event-stream", b"jsonp=f&message=[]", "eventsource"),
        ("GET", None, b"jsonp=f&message=[]", "callback-polling"),
        ("GET", "text/html", b"jsonp=f&message=[]", "callback-polling"),
        ("GET", "text/html", b"", None),
        ("GET", None, b"page=1", None),
        ("PUT", "text/event-stream", b"jsonp=f&message=[]", None),
        ("HEAD", "text/event-stream", b"jsonp=f&message=[]", None),
    ],
)
def test_the_transport_of_a_request(
    method: str, accept: str | None, query: bytes, transport: str | None
) -> None:
    assert transport_of(method, accept, query) == transport


def test_a_query_is_text_whatever_is_in_it() -> None:
    assert text_of("a=é".encode()) == "a=é"
    assert text_of(b"a=\xe9").encode("utf-8", "surrogateescape") == b"a=\xe9"


@pytest.mark.parametrize(
    ("announced", "more"),
    [
        (None, False),
        ("", False),
        ("10", False),
        ("11", True),
        ("9" * 19, True),
        ("9" * 10_000, True),
        ("0" * 20 + "9", False),
        ("-11", False),
        ("1e9", False),
        ("\N{ARABIC-INDIC DIGIT NINE}" * 3, False),
    ],
)
def test_a_body_that_is_too_large_may_be_announced(announced: str | None, *, more: bool) -> None:
    assert announces_more(announced, 10) is more


def test_the_answer_to_a_body_that_is_too_large_ends_the_connection() -> None:
    response = over_limit(10)
    assert (response.status, response.headers) == (413, (("connection", "close"),))
    assert response.body == b"The body is larger than 10 bytes.\n"


@pytest.mark.parametrize(
    ("offered", "transport", "admitted"),
    [
        (("long-polling",), "long-polling", True),
        (("eventsource",), "long-polling", True),
        (("cross-origin-long-polling",), "long-polling", True),
        (("websocket", "callback-polling"), "long-polling", False),
        (("long-polling",), "eventsource", False),
        (("eventsource",), "eventsource", True),
        (("callback-polling",), "callback-polling", True),
        (("long-polling",), "callback-polling", False),
    ],
)
def test_only_what_is_offered_is_let_in(
    refused: list[Request], offered: tuple[str, ...], transport: str, *, admitted: bool
) -> None:
    response = gate(refused, transports=offered).refusal(OWN, transport)
    assert (response is None) is admitted
    assert response is None or (response.status == 403 and transport.encode() in response.body)
    assert refused == []


def test_a_websocket_is_upgraded_where_it_is_offered(refused: list[Request]) -> None:
    assert gate(refused, transports=("websocket",)).admits_websocket(OWN)
    assert not gate(refused, transports=("long-polling",)).admits_websocket(OWN)
    assert refused == []


def test_pages_of_other_origins_are_refused_and_told_of(refused: list[Request]) -> None:
    closed = gate(refused)
    response = closed.refusal(FOREIGN, "long-polling")
    assert response is not None
    assert response.status == 403
    assert b"allow_origins" in response.body
    assert not closed.admits_websocket(FOREIGN)
    assert refused == [FOREIGN, FOREIGN]
    assert closed.headers(FOREIGN) == ()
    assert ORIGIN not in closed.preflight(FOREIGN).headers


def test_pages_of_an_allowed_origin_are_let_in_and_may_read(refused: list[Request]) -> None:
    open_gate = gate(refused, allow_origins=("https://other.example",))
    assert open_gate.refusal(FOREIGN, "long-polling") is None
    assert open_gate.admits_websocket(FOREIGN)
    assert ORIGIN in open_gate.headers(FOREIGN)
    preflight = open_gate.preflight(FOREIGN)
    assert (preflight.status, preflight.body) == (204, b"")
    assert preflight.headers[0] == ("allow", "GET, HEAD, POST, OPTIONS")
    assert ORIGIN in preflight.headers
    assert refused == []
