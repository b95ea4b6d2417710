"""binary: bytes as data, from client to client, to and from the application (reference: 3.5)."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from mirant.bayeux.channels import Channel
from mirant.extensions.binary import Binary, BinaryData
from mirant.services import Caller, delivery_of
from mirant.services.face import SessionFace, behind
from mirant.testing import Client, Json, SocketClient, World, reply_to

HELLO = bytes.fromhex("864fd26fb559f75b")
WIRE = {"data": "HelloWorld", "last": True}
EXT: Json = {"binary": {}}


@pytest.fixture
def world() -> World:
    return World().use(BinaryData())


@pytest.fixture
def client(world: World) -> SocketClient:
    client = world.socket().enter()
    client.subscribe("/a")
    return client


def call(client: Client, data: object, **fields: object) -> Json:
    """Call /service/f and return the answer, the message that has data; or the reply if that is a refusal."""
    message = client.message("/service/f", data=data, **fields)
    messages = client.ask(message)
    answers = [m for m in messages if m["channel"] == "/service/f" and "data" in m]
    return answers[0] if answers else reply_to(message, messages)


# --- From client to client ---


def test_a_binary_message_passes_as_it_came(client: SocketClient) -> None:
    data = {**WIRE, "meta": {"name": "é"}, "more": 1}
    assert client.publish("/a", data, ext=EXT)["successful"]
    assert client.deliveries == [{"channel": "/a", "data": data, "ext": EXT}]


def test_without_the_extension_too() -> None:
    client = World().socket().enter()
    client.subscribe("/a")
    client.publish("/a", {"data": "no z85"}, ext=EXT)
    assert client.deliveries == [{"channel": "/a", "data": {"data": "no z85"}, "ext": EXT}]


BAD: list[object] = [
    None,
    "HelloWorld",
    {},
    {"data": None},
    {"data": 1},
    {"data": "H"},
    {"data": "~~~~~"},
    {"data": "#####"},
    {"data": "Hello", "last": "yes"},
    {"data": "Hello", "meta": []},
    [WIRE],
]


@pytest.mark.parametrize("data", BAD)
def test_what_is_none_is_refused_and_reaches_nobody(client: SocketClient, data: object) -> None:
    assert client.publish("/a", data, ext=EXT)["error"] == "404:binary_invalid:message_deleted"
    assert client.deliveries == []


@pytest.mark.parametrize("data", BAD)
def test_data_that_is_not_said_to_be_binary_is_not_looked_at(client: SocketClient, data: object) -> None:
    assert client.publish("/a", data)["successful"]
    assert client.data == [data]


def test_meta_messages_may_have_the_ext(client: SocketClient) -> None:
    assert client.say("/meta/subscribe", subscription="/b", ext=EXT)["successful"]


@pytest.mark.parametrize("ext", [{"binary": {}}, {"binary": True}, {"binary": None}])
def test_the_presence_of_the_ext_says_it(client: SocketClient, ext: Json) -> None:
    assert client.publish("/a", {"data": "H"}, ext=ext)["error"] == "404:binary_invalid:message_deleted"


# --- To the application ---


def test_a_function_that_takes_binary_gets_all_of_it(world: World, client: SocketClient) -> None:
    got: list[Binary] = []

    @world.services.rpc("/f")
    def f(caller: Caller, data: Binary) -> None:
        got.append(data)

    call(client, {"data": "HelloWorld", "last": False, "meta": {"n": 1}}, ext=EXT)
    call(client, {"data": ""}, ext=EXT)
    assert [(each.data, each.last, each.meta) for each in got] == [
        (HELLO, False, {"n": 1}),
        (b"", True, None),
    ]


def test_a_function_that_takes_anything_gets_binary_and_other_data(
    world: World, client: SocketClient
) -> None:
    got: list[Any] = []

    @world.services.service("/f")
    def f(caller: Caller, data: object) -> None:
        got.append(data)

    call(client, WIRE, ext=EXT)
    call(client, WIRE)
    assert got[0].data == HELLO
    assert got[1] == WIRE


def test_a_function_that_takes_raw_json_gets_the_json(world: World, client: SocketClient) -> None:
    @world.services.rpc("/f")
    def f(caller: Caller, data: msgspec.Raw) -> msgspec.Raw:
        return data

    answer = call(client, WIRE, ext=EXT)
    assert (answer["data"], answer["ext"]) == (WIRE, EXT)
    assert "ext" not in call(client, WIRE)


def test_a_function_that_takes_something_else_is_not_called(world: World, client: SocketClient) -> None:
    @world.services.rpc("/f")
    def f(caller: Caller, data: int) -> None:
        raise AssertionError

    answer = call(client, WIRE, ext=EXT)
    assert answer["successful"] is False
    assert answer["data"]["code"] == 400


@pytest.mark.parametrize("data", BAD)
def test_bad_data_reaches_no_function(world: World, client: SocketClient, data: object) -> None:
    @world.services.rpc("/f")
    def f(caller: Caller, data: Binary) -> None:
        raise AssertionError

    assert call(client, data, ext=EXT)["error"] == "404:binary_invalid:message_deleted"


def test_without_the_extension_a_function_explains_what_is_wrong_with_it() -> None:
    world = World()

    @world.services.rpc("/f")
    def f(caller: Caller, data: Binary) -> None:
        raise AssertionError

    answer = call(world.socket().enter(), {"data": "H"}, ext=EXT)
    assert answer["successful"] is False
    assert answer["data"]["code"] == 400


# --- From the application ---

FORMS: list[Callable[[bytes], object]] = [bytes, bytearray, memoryview, Binary]


@pytest.mark.parametrize("form", FORMS)
def test_a_call_may_answer_with_bytes(
    world: World, client: SocketClient, form: Callable[[bytes], object]
) -> None:
    @world.services.rpc("/f")
    def f(caller: Caller, data: object) -> object:
        return form(HELLO)

    answer = call(client, None)
    assert (answer["data"], answer["ext"], answer["successful"]) == (WIRE, EXT, True)


@pytest.mark.parametrize("form", FORMS)
def test_the_application_may_publish_bytes(
    world: World, client: SocketClient, form: Callable[[bytes], object]
) -> None:
    channel = Channel.parse("/a")
    world.core.publish(channel, delivery_of(channel, form(HELLO)))
    world.settle()
    assert client.deliveries == [{"channel": "/a", "data": WIRE, "ext": EXT}]


def test_and_deliver_them(world: World, client: SocketClient) -> None:
    @world.services.on_publish("/b")
    def answer(caller: Caller, data: object) -> None:
        caller.deliver("/service/b", HELLO)

    client.publish("/b", 1)
    assert client.deliveries == [{"channel": "/service/b", "data": WIRE, "ext": EXT}]


def test_with_what_it_says_of_them(world: World, client: SocketClient) -> None:
    channel = Channel.parse("/a")
    world.core.publish(channel, delivery_of(channel, Binary(b"", last=False, meta={"name": "x"})))
    world.settle()
    assert client.data == [{"data": "", "last": False, "meta": {"name": "x"}}]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ext", [{}, EXT, {"other": 1}])
def test_a_publish_may_be_replaced_by_bytes(
    world: World, client: SocketClient, form: Callable[[bytes], object], ext: Json
) -> None:
    @world.services.on_publish("/a")
    def replace(caller: Caller, data: object) -> object:
        return form(HELLO)

    client.publish("/a", WIRE, ext=ext)
    assert client.deliveries == [{"channel": "/a", "data": WIRE, "ext": {**ext, **EXT}}]


def test_a_binary_publish_may_be_replaced_by_other_data(world: World, client: SocketClient) -> None:
    @world.services.on_publish("/a")
    def replace(caller: Caller, data: Binary) -> int:
        return len(data.data)

    client.publish("/a", WIRE, ext=EXT)
    assert client.data == [8]
    assert "binary" not in client.deliveries[0].get("ext", {})


def test_a_function_that_returns_the_raw_json_it_was_given_changes_nothing(
    world: World, client: SocketClient
) -> None:
    @world.services.on_publish("/a")
    def same(caller: Caller, data: msgspec.Raw) -> msgspec.Raw:
        return data

    client.publish("/a", WIRE, ext=EXT)
    assert client.deliveries == [{"channel": "/a", "data": WIRE, "ext": EXT}]


def test_bytes_may_come_with_the_handshake() -> None:
    world = World(with_handshake=True)

    @world.services.on_join
    def welcome(session: SessionFace) -> None:
        world.core.deliver(behind(session), delivery_of(Channel.parse("/welcome"), HELLO))

    client = world.polling()
    client.handshake()
    assert client.deliveries == [{"channel": "/welcome", "data": WIRE, "ext": EXT}]


def test_a_value_goes_to_the_wire_and_back() -> None:
    wire = msgspec.json.encode(Binary(b"\x00\xff", last=False, meta={"a": [1]}).to_wire())
    back = Binary.from_wire(wire)
    assert (back.data, back.last, back.meta) == (b"\x00\xff", False, {"a": [1]})


def test_data_with_another_extension_is_not_taken_for_binary(client: SocketClient) -> None:
    assert client.publish("/a", "no z85", ext={"other": 1})["successful"]


def test_a_binary_message_to_no_channel_is_refused_like_any_other(
    client: SocketClient, caplog: pytest.LogCaptureFixture
) -> None:
    plain = client.say("no channel", data="no z85")
    binary = client.say("no channel", data="no z85", ext=EXT)
    assert binary["error"] == plain["error"]
    assert caplog.records == []
