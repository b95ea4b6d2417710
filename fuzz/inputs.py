"""Inputs that come near to what is accepted: most random bytes are refused at the first of them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["", "/a", "/meta/connect", "/meta/x", "/**", "/a//b", 10**400, -1, 1e308]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
CHANNELS = st.sampled_from(
    [
        *("/meta/handshake", "/meta/connect", "/meta/subscribe", "/meta/unsubscribe", "/meta/disconnect"),
        *("/meta/", "/a", "/a/", "/service/a", "/a/**", "", 1, None),
    ]
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "channel": CHANNELS | VALUES,
        "id": VALUES,
        "clientId": VALUES,
        "data": VALUES,
        "subscription": VALUES | st.lists(VALUES, max_size=3),
        "advice": VALUES | st.fixed_dictionaries({}, optional={"timeout": VALUES, "interval": VALUES}),
        "ext": VALUES | st.dictionaries(st.sampled_from(["ack", "timesync", "binary"]), VALUES),
        "connectionType": VALUES,
        "timestamp": VALUES,
        "x-mine": VALUES,
    },
)


def _spell(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


BODIES = (st.lists(MESSAGES, max_size=4) | MESSAGES | VALUES).map(_spell)
FORMS = BODIES.map(lambda body: b"\0message=" + body)
EXTS = (
    VALUES
    | st.fixed_dictionaries({}, optional={"tc": VALUES, "l": VALUES, "o": VALUES, "data": VALUES})
    | st.fixed_dictionaries({"data": st.text(max_size=12), "last": VALUES}, optional={"meta": VALUES})
).map(_spell)
NAMES = st.text(st.sampled_from("/*ab{} .\u00e9~\ud800"), max_size=40).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
QUERIES = st.builds(
    lambda callback, bodies: b"jsonp=" + callback + b"".join(b"&message=" + body for body in bodies),
    st.sampled_from([b"cb", b"a.b", b"", b"%41", b"a(b)"]),
    st.lists(
        BODIES.map(lambda body: body.replace(b"%", b"%25").replace(b"&", b"%26")) | st.binary(), max_size=3
    ),
)
COOKIES = st.lists(
    st.sampled_from(
        [b"BAYEUX_BROWSER", b"=", b";", b'"', b" ", b"a" * 56, b"\xe9", b"BAYEUX_BROWSER=" + b"0" * 56]
    )
).map(b"".join)
TOKENS = (
    VALUES
    | st.fixed_dictionaries(
        {"sub": st.just("alice") | VALUES, "exp": st.just(2e9) | VALUES, "aud": st.just("bus") | VALUES},
        optional={"iat": VALUES, "nbf": VALUES, "roles": VALUES, "iss": VALUES},
    )
    | st.fixed_dictionaries({"alg": st.just("HS256") | VALUES}, optional={"kid": VALUES, "crit": VALUES})
).map(_spell)


@st.composite
def _frame(draw: st.DrawFn) -> bytes:
    """One frame of a client, most of them valid."""
    text = draw(
        st.sampled_from(
            [b"", b"[]", b"\xce\xba\xe1\xbd\xb9", b"\xf0\x9f", b"x" * 125, b"\x03\xe8", b"y" * 300]
        )
    )
    first = draw(st.sampled_from([0x81, 0x01, 0x80, 0x00, 0x82, 0x88, 0x89, 0x8A]) | st.integers(0, 255))
    mask = draw(st.sampled_from([bytes(4), b"\x01\x02\x03\x04", b"\xff\x00\xff\x00"]))
    size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return bytes([first]) + size + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))


WEBSOCKET = st.lists(_frame(), max_size=6).map(b"".join)
HTTP = st.lists(
    st.sampled_from(
        [
            *(b"POST /cometd HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n", b"CONNECT a:1 HTTP/1.1\r\n", b"GET /\r\n"),
            *(
                b"Host: a\r\n",
                b"Content-Length: 2\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"Connection: close\r\n",
            ),
            *(b"Connection: upgrade\r\nUpgrade: websocket\r\n", b"Connection: upgrade\r\nUpgrade: h2c\r\n"),
            *(b"\r\n", b"[]", b"2\r\n[]\r\n", b"0\r\n\r\n", b"\n", b" ", b":", b"X: \xe9\r\n"),
        ]
    ),
    max_size=14,
).map(b"".join)
# The ids are those that the target's client waits for.
REPLIES = st.lists(
    st.fixed_dictionaries(
        {"channel": CHANNELS, "successful": st.booleans() | VALUES},
        optional={
            "id": st.sampled_from(["1", "2", "3", "4", "5", 5]) | VALUES,
            "clientId": VALUES,
            "data": VALUES,
            "error": st.sampled_from(["402::session_unknown", "403::no"]) | VALUES,
            "advice": st.fixed_dictionaries(
                {},
                optional={
                    "reconnect": st.sampled_from(["retry", "handshake", "none"]) | VALUES,
                    "interval": VALUES,
                    "timeout": VALUES,
                    "maxInterval": VALUES,
                },
            )
            | VALUES,
            "ext": st.fixed_dictionaries({"ack": VALUES}) | VALUES,
        },
    )
    | MESSAGES,
    max_size=4,
).map(_spell)

#: What to feed each target, beside bytes at random.
INPUTS = {
    "body": BODIES,
    "frame": BODIES,
    "post": BODIES.map(lambda body: b"\0" + body) | FORMS,
    "name": NAMES,
    "ext": EXTS,
    "query": QUERIES,
    "cookie": COOKIES,
    "token": TOKENS,
    "websocket": WEBSOCKET,
    "http": HTTP,
    "server": REPLIES,
}


@st.composite
def damaged(draw: st.DrawFn, inputs: st.SearchStrategy[bytes]) -> bytes:
    """An input with a few bytes changed."""
    data = bytearray(draw(inputs))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(data)))
        data[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(data)


def inputs_of(target: str) -> st.SearchStrategy[bytes]:
    """Return everything that *target* is fed with."""
    return INPUTS[target] | damaged(INPUTS[target]) | st.binary(max_size=80)
