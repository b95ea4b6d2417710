"""Laws of reading bodies: nothing but a documented error comes out, and data stays what it was."""

import asyncio
import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from mirant.bayeux.codec import BodyInvalid, BodyTooLarge, decode
from mirant.bayeux.messages import Message
from mirant.bus.request import Request
from mirant.hosts.asgi.exchange import read_body
from mirant.testing import World

FIELDS = [
    "channel",
    "id",
    "clientId",
    "data",
    "ext",
    "advice",
    "subscription",
    "timestamp",
    "mine",
    "successful",
]

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.dictionaries(st.sampled_from(FIELDS), VALUES)
BLANKS = st.text(st.sampled_from(" \t\r\n"), max_size=2)


@st.composite
def spelt(draw: st.DrawFn, values: st.SearchStrategy[Any] = VALUES) -> str:
    """JSON of some value, spelt as nobody would: with blanks, and escapes where none are needed."""
    value = draw(values)
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    return draw(BLANKS) + text.replace("/", draw(st.sampled_from(["/", "\\/"]))) + draw(BLANKS)


def read(body: bytes) -> list[Message] | None:
    """Return the messages of *body*, or None if it is refused as documented."""
    try:
        return decode(body, max_size=10_000, max_batch=20)
    except (BodyInvalid, BodyTooLarge):
        return None


@given(
    st.binary(max_size=60) | st.text(st.sampled_from('[]{}",:\\u012e-e.tfn \n'), max_size=40).map(str.encode)
)
def test_bytes_are_messages_or_refused_as_documented(body: bytes) -> None:
    messages = read(body)
    if messages is not None:
        found = json.loads(body)
        assert len(messages) == (1 if isinstance(found, dict) else len(found))


@given(st.lists(MESSAGES, min_size=1, max_size=3), st.data())
def test_so_are_messages_with_some_bytes_changed(messages: list[dict[str, Any]], data: st.DataObject) -> None:
    body = bytearray(json.dumps(messages).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body)))
        length = data.draw(st.integers(0, 3))
        body[place : place + length] = data.draw(st.binary(max_size=3))
    for message in read(bytes(body)) or []:
        assert message.fault is None or message.fault[0].wire(message.fault[1])
        if isinstance(message.reply_id, Raw):  # no id, but the reply carries it as it came
            json.loads(bytes(message.reply_id))
        else:
            assert message.reply_id is None or isinstance(message.reply_id, str)


@given(st.lists(MESSAGES, min_size=1, max_size=3))
def test_sound_json_is_read_as_many_messages_with_their_own_fields(messages: list[dict[str, Any]]) -> None:
    found = read(json.dumps(messages).encode())
    assert found is not None
    assert [json.loads(bytes(each.data)) if each.data else None for each in found] == [
        message.get("data") for message in messages
    ]
    own = {"mine", "successful"}
    assert [set(each.extra) for each in found] == [own & set(message) for message in messages]


@given(spelt(), st.booleans())
def test_the_bytes_of_data_reach_subscribers_untouched(data: str, with_field: bool) -> None:  # noqa: FBT001
    world = World()
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    mine = ',"mine":1' if with_field else ""
    body = f'[{{"channel":"/a","clientId":"{alice.client_id}","data":{data}{mine}}}]'
    assert alice.post(body.encode()).reply["successful"]
    expected = f'[{{"channel":"/a","data":{data.strip()}{mine}}}]'
    assert bob.connection.batches[-1].payload.decode() == expected


@given(st.binary(max_size=40), st.lists(st.integers(0, 40)), st.integers(0, 50))
def test_however_a_body_is_cut_it_is_read_as_one(body: bytes, cuts: list[int], limit: int) -> None:
    places = sorted({0, *(cut for cut in cuts if cut < len(body)), len(body)})
    parts = [body[start:end] for start, end in pairwise(places)] or [b""]
    events = [
        {"type": "http.request", "body": part, "more_body": index < len(parts) - 1}
        for index, part in enumerate(parts)
    ]
    remaining = iter(events)

    async def receive() -> Any:
        return next(remaining)

    expected = body if len(body) <= limit else None
    assert asyncio.run(read_body(Request(), receive, limit)) == expected
