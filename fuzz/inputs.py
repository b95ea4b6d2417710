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

#: What to feed each target, beside bytes at random.
INPUTS = {
    "body": BODIES,
    "frame": BODIES,
    "post": BODIES.map(lambda body: b"\0" + body) | FORMS,
    "name": NAMES,
    "ext": EXTS,
    "query": QUERIES,
    "cookie": COOKIES,
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
