"""Whose session it is: cookies, bodies, windows of a browser (reference: 2.1 and 2.8)."""

import json

import pytest

from mirant.testing import PollingClient, World


@pytest.fixture
def world() -> World:
    return World()


def handshake(client: PollingClient, **headers: str) -> dict[str, str]:
    """Handshake and return the headers of the response."""
    poll = client.post(b'[{"channel":"/meta/handshake"}]', **headers)
    client.client_id = poll.reply["clientId"]
    return dict(poll.response.headers) if poll.response is not None else {}


def test_a_handshake_is_given_a_cookie_that_scripts_cannot_read(world: World) -> None:
    cookie = handshake(world.polling(), user_agent="Mozilla/5.0")["set-cookie"]
    name, *attributes = cookie.split("; ")
    assert name.startswith("BAYEUX_BROWSER=")
    assert attributes == ["Path=/", "HttpOnly", "SameSite=Lax"]


def test_a_browser_that_has_its_cookie_is_given_no_other(world: World) -> None:
    client = world.polling()
    client.handshake()
    assert "set-cookie" not in handshake(client)


@pytest.mark.parametrize("value", ["planted", "", "0" * 56])
def test_a_cookie_that_this_server_did_not_give_out_is_replaced(world: World, value: str) -> None:
    headers = handshake(world.polling(cookies=False), cookie=f"BAYEUX_BROWSER={value}")
    assert "set-cookie" in headers
    assert value not in headers["set-cookie"] or not value


def test_only_a_handshake_gives_a_cookie(world: World) -> None:
    client = world.polling(cookies=False).enter()
    assert client.send(client.message("/a", data=1)).cookie is None


def test_a_client_that_never_sends_cookies_works(world: World) -> None:
    client = world.polling(cookies=False).enter()
    client.subscribe("/a")
    poll = client.connect()
    world.publish("/a", 1)
    assert client.data == [1]
    assert poll.reply["successful"]


def test_once_the_cookie_was_presented_nobody_gets_the_session_without_it(world: World) -> None:
    victim = world.polling().enter()
    thief = world.polling(cookies=False)
    thief.client_id = victim.client_id
    assert thief.publish("/a", 1)["error"] == "402::session_unknown"
    assert thief.disconnect()["error"] == "402::session_unknown"
    assert thief.connect().reply["error"] == "402::session_unknown"
    assert victim.publish("/a", 1)["successful"]


def test_nor_with_the_cookie_of_another_browser(world: World) -> None:
    victim, thief = world.polling().enter(), world.polling().enter()
    thief.client_id = victim.client_id
    assert thief.publish("/a", 1)["error"] == "402::session_unknown"


def test_a_stranger_does_not_take_what_waits_for_the_session(world: World) -> None:
    victim, thief = world.polling().enter(), world.polling().enter()
    victim.subscribe("/a")
    world.publish("/a", "private")
    thief.client_id = victim.client_id
    thief.connect()
    assert thief.data == []
    victim.connect()
    assert victim.data == ["private"]


def test_a_stranger_does_not_supersede_the_held_connect(world: World) -> None:
    victim, thief = world.polling().enter(), world.polling().enter()
    poll = victim.connect()
    thief.client_id = victim.client_id
    thief.connect()
    assert poll.held


def test_two_sessions_of_one_browser_do_not_disturb_each_other(world: World) -> None:
    first, second = world.polling().enter(), world.polling()
    second.cookie = first.cookie
    second.enter()
    assert first.publish("/a", 1)["successful"]
    assert second.publish("/a", 1)["successful"]


def test_the_first_message_of_a_body_decides_whose_body_it_is(world: World) -> None:
    alice, bob = world.polling(cookies=False).enter(), world.polling(cookies=False).enter()
    own, foreign, none = (
        alice.message("/a", data=1),
        {**alice.message("/a", data=2), "clientId": bob.client_id},
        {"channel": "/a", "data": 3},
    )
    assert [reply["successful"] for reply in alice.ask(own, foreign, none)] == [True, False, False]
    assert [reply["successful"] for reply in alice.ask(none, own)] == [False, False]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"null", 400),
        (b"7", 400),
        (b"[1]", 400),
        (b"hello", 400),
        (b"\xff\xfe", 400),
        (b"message=", 400),
        (b"[%b]" % b",".join([b"{}"] * 1_001), 413),
        (b'["%b"]' % (b"x" * 1024 * 1024), 413),
    ],
)
def test_a_body_that_is_not_bayeux_is_refused_in_a_sentence(world: World, body: bytes, status: int) -> None:
    """The reference server answers HTTP 500 to most of them."""
    poll = world.polling().post(body)
    assert poll.status == status
    assert poll.body.decode().endswith(".\n")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json;charset=UTF-8",
        "text/json",
        "text/plain",
        "",
        "application/json; charset=utf8",
        "x; charset=",
    ],
)
def test_the_content_type_does_not_matter(world: World, content_type: str) -> None:
    body = json.dumps([{"channel": "/meta/handshake", "id": "é"}], ensure_ascii=False).encode()
    assert world.polling().post(body, content_type=content_type).messages[0]["id"] == "é"


@pytest.mark.parametrize("charset", ["ISO-8859-1", "utf-16", '"utf-16le"'])
@pytest.mark.parametrize("name", ["charset", "Charset"])
def test_a_charset_that_is_announced_is_obeyed(world: World, charset: str, name: str) -> None:
    text = json.dumps([{"channel": "/meta/handshake", "id": "é"}], ensure_ascii=False)
    body = text.encode(charset.strip('"'))
    poll = world.polling().post(body, content_type=f"application/json; {name}={charset}")
    assert poll.messages[0]["id"] == "é"


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain; charset=klingon", 415),
        ("text/plain; charset=utf-7", 415),
        ("text/plain; charset=us-ascii", 400),
    ],
)
def test_a_charset_that_is_unknown_or_wrong_is_refused(world: World, content_type: str, status: int) -> None:
    poll = world.polling().post('[{"channel":"/é"}]'.encode(), content_type=content_type)
    assert poll.status == status
    assert poll.body.decode().endswith(".\n")


@pytest.mark.parametrize(
    "content_type", ["a;charset*" + "9" * 5_000 + "=x", ";;=;charset", "x;y=charset=klingon"]
)
def test_a_content_type_that_makes_no_sense_breaks_nothing(world: World, content_type: str) -> None:
    poll = world.polling().post(b'[{"channel":"/meta/handshake"}]', content_type=content_type)
    assert poll.status in (200, 415)


# --- Windows of one browser ---


def windows(world: World, count: int) -> list[PollingClient]:
    """Return *count* clients with one cookie, each connected once."""
    first = world.polling().enter()
    clients = [first]
    for _ in range(count - 1):
        client = world.polling()
        client.cookie = first.cookie
        clients.append(client.enter())
    return clients


def test_one_window_of_a_browser_is_held_and_the_others_poll_at_an_interval(world: World) -> None:
    first, *others = windows(world, 3)
    assert first.connect().held
    for other in others:
        assert other.connect().reply == {
            "channel": "/meta/connect",
            "id": "3",
            "successful": True,
            "advice": {"reconnect": "retry", "interval": 2_000, "multiple-clients": True},
        }
        assert other.alive


def test_a_window_whose_turn_has_come_is_told_so_and_held_then(world: World) -> None:
    """The reference server leaves the window at the slow interval for ever."""
    first, second = windows(world, 2)
    first.connect()
    second.connect()
    first.disconnect()
    relieved = second.connect().reply
    assert relieved["advice"] == {"reconnect": "retry", "interval": 0, "timeout": 30_000}
    assert second.connect().held


def test_windows_of_other_browsers_and_clients_without_cookies_are_not_counted(world: World) -> None:
    for client in [world.polling().enter() for _ in range(3)]:
        assert client.connect().held
    for client in [world.polling(cookies=False).enter() for _ in range(3)]:
        assert client.connect().held


def test_a_crowded_window_gets_its_messages_when_it_polls(world: World) -> None:
    first, second = windows(world, 2)
    first.connect()
    second.subscribe("/a")
    second.connect()
    world.publish("/a", 1)
    second.connect()
    assert second.data == [1]


# --- The options of the cookie ---


def test_two_buses_on_one_host_lose_no_sessions_to_each_other() -> None:
    worlds, cookie = (World(), World()), None
    clients = [world.polling() for world in worlds]
    for _ in range(5):
        for client in clients:
            client.cookie = cookie
            client.enter()
            cookie = client.cookie
        for client in clients:
            client.cookie = cookie
            assert client.publish("/a", 1)["successful"]


def test_a_cookie_that_lasts_is_given_anew_with_each_handshake() -> None:
    client = World(cookie_max_age=60.0).polling()
    client.enter()
    former = client.cookie
    headers = handshake(client, user_agent="Mozilla/5.0")
    assert headers["set-cookie"].endswith("; Max-Age=60")
    assert client.cookie == former
