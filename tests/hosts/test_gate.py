"""Pages of other origins: what they may do and read, and what is refused before it is processed."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from mirant import Bus, Session, Settings
from mirant.bus.request import Request
from mirant.hosts.gate import Gate, announces_more, over_limit, transport_of
from tests.hosts.clients import Poller, Socket
from tests.hosts.serving import serving

FRIEND = "https://friend.example"
STRANGER = "https://stranger.example"
BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
HANDSHAKE = json.dumps([{"channel": "/meta/handshake"}])


class Place:
    """A served bus that lets `FRIEND` in, a client of it, and how many sessions it ever had."""

    def __init__(self, url: str, client: Poller) -> None:
        self.url = url
        self.client = client
        self.joined: list[Session] = []

    async def post(self, body: str = HANDSHAKE, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.http.post(self.url, content=body, headers=named)

    async def get(self, path: str = "/", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.http.get(self.url + path, headers=named)

    async def preflight(self, origin: str) -> httpx.Response:
        headers = {
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
        }
        return await self.client.http.options(self.url, headers=headers)


@asynccontextmanager
async def placed(bus: Bus) -> AsyncIterator[Place]:
    async with serving(bus) as url, Poller.at(url) as client:
        place = Place(url, client)
        bus.on_join(place.joined.append)
        yield place


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    transports = ("websocket", "eventsource", "long-polling", "callback-polling")
    settings = Settings(allow_origins=(FRIEND,), transports=transports)
    async with placed(Bus(settings=settings)) as place:
        yield place


def cors(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the headers that matter to pages of other origins, each as often as it is there."""
    return [(k, v) for k, v in response.headers.multi_items() if k.startswith("access-control-")]


async def open_socket(place: Place, origin: str) -> None:
    """Open a WebSocket as a page of *origin* does, and handshake."""
    async with connect(place.url.replace("http", "ws"), origin=Origin(origin)) as connection:
        await Socket(connection).begin()


READABLE = [("access-control-allow-origin", FRIEND), ("access-control-allow-credentials", "true")]


# --- Friends ---


async def test_a_page_of_a_friend_may_ask_and_read(place: Place) -> None:
    response = await place.post(origin=FRIEND)

    assert response.json()[0]["successful"]
    assert cors(response) == READABLE
    assert response.headers.get_list("vary") == ["origin"]


async def test_a_cached_page_is_not_given_to_a_page_of_another_origin(place: Place) -> None:
    assert (await place.get("/mirant.js")).headers.get_list("vary") == ["origin"]
    assert (await place.get("/mirant.js", origin=FRIEND)).headers.get_list("vary") == ["origin"]


async def test_its_preflight_is_answered_with_each_header_once(place: Place) -> None:
    """Browsers refuse an answer that allows an origin twice."""
    response = await place.preflight(FRIEND)

    assert response.status_code == 204
    assert response.content == b""
    headers = cors(response)
    assert len(headers) == len(dict(headers))
    assert dict(headers).items() >= dict(READABLE).items()
    assert dict(headers)["access-control-allow-headers"] == "content-type"
    assert "POST" in dict(headers)["access-control-allow-methods"]
    assert place.joined == []


async def test_it_may_read_why_a_body_was_refused(place: Place) -> None:
    response = await place.post("nonsense", origin=FRIEND)

    assert response.status_code == 400
    assert cors(response) == READABLE


async def test_it_may_open_a_websocket(place: Place) -> None:
    await open_socket(place, FRIEND)


async def test_it_may_open_an_event_stream(place: Place) -> None:
    await place.client.begin()
    headers = {"accept": "text/event-stream", "origin": FRIEND}
    async with place.client.http.stream("GET", f"{place.url}/{place.client.id}", headers=headers) as response:
        assert response.status_code == 200
        assert cors(response) == READABLE


async def test_an_origin_is_never_a_wildcard(place: Place) -> None:
    for response in (await place.post(origin=FRIEND), await place.preflight(FRIEND), await place.post()):
        assert "*" not in dict(cors(response)).values()


# --- The bus's own pages, and clients that are none ---


async def test_the_bus_own_pages_may_do_everything(place: Place) -> None:
    response = await place.post(origin=place.url, sec_fetch_site="same-origin")

    assert response.json()[0]["successful"]
    assert cors(response) == []
    await open_socket(place, place.url)


async def test_clients_that_are_no_pages_may_do_everything(place: Place) -> None:
    assert (await place.post()).json()[0]["successful"]


async def test_behind_a_proxy_that_ends_tls_the_host_counts(place: Place) -> None:
    response = await place.post(origin="https://bus.example", host="bus.example")
    assert response.json()[0]["successful"]


# --- Strangers ---


@pytest.mark.parametrize("origin", [STRANGER, "null", "", "https://friend.example.evil", "file://"])
async def test_a_page_of_another_origin_is_refused_before_its_message_is_processed(
    place: Place, origin: str
) -> None:
    response = await place.post(origin=origin)

    assert response.status_code == 403
    assert "allow_origins" in response.text
    assert cors(response) == []
    assert "set-cookie" not in response.headers
    assert place.joined == []


async def test_a_form_of_another_site_is_refused_before_it_is_processed(place: Place) -> None:
    """A form is posted without a preflight, with the user's cookies."""
    await place.client.begin()
    joined = len(place.joined)
    response = await place.client.http.post(
        place.url,
        data={"message": HANDSHAKE},
        headers={"origin": STRANGER, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    )

    assert response.status_code == 403
    assert len(place.joined) == joined


async def test_a_text_form_of_another_site_is_refused_too(place: Place) -> None:
    response = await place.post(origin="null", content_type="text/plain", sec_fetch_site="cross-site")

    assert response.status_code == 403
    assert place.joined == []


async def test_a_post_across_sites_without_an_origin_is_refused(place: Place) -> None:
    response = await place.post(sec_fetch_site="cross-site")

    assert response.status_code == 403
    assert place.joined == []


async def test_a_strangers_preflight_allows_nothing(place: Place) -> None:
    response = await place.preflight(STRANGER)

    assert response.status_code == 204
    assert cors(response) == []


async def test_a_large_body_of_a_stranger_is_not_read(place: Place) -> None:
    response = await place.post("x" * 2_000_000, origin=STRANGER)
    assert response.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_script_of_another_site_is_refused(place: Place, site: str) -> None:
    path = f"/?jsonp=f&message={HANDSHAKE}"
    refused = await place.get(path, sec_fetch_site=site, sec_fetch_dest="script")
    own = await place.get(path, sec_fetch_site="same-origin", sec_fetch_dest="script")

    assert (refused.status_code, own.status_code) == (403, 200)
    assert len(place.joined) == 1


async def test_an_event_stream_of_another_site_is_refused(place: Place) -> None:
    await place.client.begin()
    response = await place.get(f"/{place.client.id}", accept="text/event-stream", origin=STRANGER)
    assert response.status_code == 403


@pytest.mark.parametrize("origin", [STRANGER, "null", "https://friend.example:444", "http://friend.example"])
async def test_a_websocket_of_another_origin_is_refused(place: Place, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await open_socket(place, origin)

    assert refused.value.response.status_code == 403


# --- Pages ---


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none"])
async def test_a_link_on_another_site_leads_to_a_page(place: Place, site: str) -> None:
    response = await place.get("/", sec_fetch_site=site, sec_fetch_mode="navigate")

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")


async def test_a_stranger_may_load_the_client_and_not_read_it(place: Place) -> None:
    response = await place.get("/mirant.js", origin=STRANGER)

    assert response.status_code == 200
    assert cors(response) == []


async def test_a_friend_may_load_the_client_as_a_module(place: Place) -> None:
    """Modules are always fetched with CORS."""
    response = await place.get("/mirant.js", origin=FRIEND)
    assert cors(response) == READABLE


# --- Cookies across sites ---


async def test_where_friends_are_let_in_over_tls_the_cookie_goes_along() -> None:
    transport = httpx.ASGITransport(Bus(settings=Settings(allow_origins=(FRIEND,))))
    async with httpx.AsyncClient(transport=transport, base_url="https://bus.example") as http:
        response = await http.post("/", content=HANDSHAKE, headers={"origin": FRIEND, **BROWSER})

        assert response.headers["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=None; Secure")


@pytest.mark.parametrize("body", [HANDSHAKE, "message=" + HANDSHAKE])
async def test_a_page_that_only_the_star_lets_in_cannot_replace_the_visitors_cookie(body: str) -> None:
    settings = Settings(allow_origins=("*", FRIEND), cookie_max_age=3600.0)
    kind = "application/json" if body is HANDSHAKE else "application/x-www-form-urlencoded"
    async with placed(Bus(settings=settings)) as place:
        sent = {"origin": STRANGER, "cookie": "BAYEUX_BROWSER=x", "content-type": kind, **BROWSER}
        response = await place.post(body, **sent)
        assert response.json()[0]["successful"]
        assert "set-cookie" not in response.headers
        assert "set-cookie" in (await place.post(body, **{**sent, "origin": FRIEND})).headers


async def test_where_nobody_is_let_in_it_does_not() -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(Bus()), base_url="https://bus.example"
    ) as http:
        response = await http.post("/", content=HANDSHAKE, headers=BROWSER)

        assert response.headers["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")


async def test_a_client_that_is_not_a_browser_gets_a_cookie_that_old_parsers_read(place: Place) -> None:
    """The parser of Ruby's Faye ends its whole process at an attribute that it does not know."""
    response = await place.post()
    assert response.headers["set-cookie"].endswith("; Path=/; HttpOnly")


async def test_a_page_of_another_origin_leaves_an_event_in_the_audit_log(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING", "mirant.audit"):
        await place.post(origin=STRANGER)
    assert [record.getMessage() for record in caplog.records] == [
        f"origin.refused address=127.0.0.1 origin={STRANGER}"
    ]


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


@pytest.mark.parametrize("version", ["8", "0", "13, 8", ""])
def test_a_websocket_of_another_version_is_told_which_one_to_speak(
    refused: list[Request], version: str
) -> None:
    """RFC 6455, section 4.4. ASGI servers answer most of them themselves."""
    asked = Request({"host": "test", "sec-websocket-version": version})
    response = gate(refused).lost_upgrade("GET", asked)
    assert response is not None
    assert (response.status, dict(response.headers)["sec-websocket-version"]) == (426, "13")
    assert b"proxy" not in response.body


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


# --- The names under which the bus answers ---


@pytest.mark.parametrize("path", ["/", "/mirant.js", "/health"])
async def test_under_another_name_nothing_is_answered(path: str) -> None:
    async with placed(Bus(settings=Settings(allow_hosts=("bus.example",)))) as place:
        for host, status in (("bus.example:8080", 200), ("evil.example", 421), ("127.0.0.1", 421)):
            assert (await place.get(path, host=host)).status_code == status


async def test_a_message_under_another_name_is_not_processed(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with placed(Bus(settings=Settings(allow_hosts=("bus.example",)))) as named:
        response = await named.post(
            host="evil.example", origin="http://evil.example", sec_fetch_site="same-origin"
        )
        assert response.status_code == 421
        assert "allow_hosts" in response.text
        assert named.joined == []
        assert (await named.post(host="bus.example", origin="https://bus.example")).json()[0]["successful"]
    assert "host.refused address=127.0.0.1 host=evil.example" in caplog.text


async def test_a_websocket_under_another_name_is_refused() -> None:
    async with placed(Bus(settings=Settings(allow_hosts=("bus.example",)))) as place:
        with pytest.raises(InvalidStatus):
            await open_socket(place, place.url)


async def test_where_only_this_machine_comes_other_names_are_refused() -> None:
    bus = Bus()
    async with placed(bus) as place:
        bus.loop.keep_local()
        assert (await place.post(host="evil.example")).status_code == 421
        assert (await place.get("/", host="evil.example")).status_code == 421
        assert (await place.post(host="localhost:1")).json()[0]["successful"]
        await open_socket(place, place.url)


# --- Everybody, without credentials ---


async def test_pages_of_all_origins_are_let_in_without_their_cookies() -> None:
    async with placed(Bus(settings=Settings(allow_origins=("*",)))) as place:
        await place.client.begin()
        own, cookie = place.client.id, place.client.http.cookies["BAYEUX_BROWSER"]
        body = json.dumps([{"channel": "/a", "data": 1, "clientId": own}])
        response = await place.post(body, origin=STRANGER, cookie=f"BAYEUX_BROWSER={cookie}")

        assert response.json()[0]["error"] == "402::session_unknown"
        assert cors(response) == [("access-control-allow-origin", "*")]
        assert (await place.post(body)).json()[0]["successful"]
        await open_socket(place, STRANGER)


async def test_a_function_of_the_application_admits_origins() -> None:
    bus = Bus(allow_origin=lambda origin: origin == FRIEND)
    async with placed(bus) as place:
        assert cors(await place.post(origin=FRIEND)) == READABLE
        assert (await place.post(origin=STRANGER)).status_code == 403


async def test_a_function_that_fails_admits_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def broken(origin: str) -> bool:
        raise RuntimeError

    async with placed(Bus(allow_origin=broken)) as place:
        assert (await place.post(origin=FRIEND)).status_code == 403
    assert "hook.failed" in caplog.text


# --- What a proxy says of its client's HTTP ---


@pytest.mark.parametrize(
    ("said", "multiplexed"),
    [
        ("HTTP/2.0", True),
        ("HTTP/3.0", True),
        ("2.0", True),
        ("h2", True),
        ("HTTP/1.1", False),
        ("1.1", False),
        ("HTTP/10", False),
        ("", False),
    ],
)
def test_a_trusted_proxy_says_over_which_http_its_client_speaks(
    refused: list[Request], said: str, *, multiplexed: bool
) -> None:
    judge = gate(refused, http_version_header="x-http-version")
    headers = {"host": "bus.example", "x-http-version": said}
    assert judge.seen(Request(headers, by_proxy=True)).multiplexed is multiplexed
    assert not judge.seen(Request(headers)).multiplexed
    assert not gate(refused).seen(Request(headers, by_proxy=True)).multiplexed
