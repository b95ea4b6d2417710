"""The types of ASGI, and what the bus needs to know of a scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mirant.bus.request import UNIX, Request
from mirant.hosts.addresses import read_address
from mirant.hosts.headers import read_headers
from mirant.policy.host_names import is_loopback_address
from mirant.transports.response import Headers, Response

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]


def request_of(scope: Scope) -> Request:
    """Return what the bus needs to know of the request in *scope*."""
    headers, repeated = read_headers(scope["headers"])
    client = read_address(scope["client"][0]) if scope.get("client") else None
    server = scope.get("server")
    # ASGI gives a server at a Unix socket as [path, None]. There the client is what a proxy has forwarded, if
    # anything. Over TCP no server says whether the client was forwarded: see docs/identity.md.
    at_file = server is not None and server[1] is None
    version = scope.get("http_version", "")  # an application may make a scope of its own, without one
    return Request(
        headers,
        address=client,
        peer=UNIX if at_file else client,
        repeated=repeated,
        secure=scope.get("scheme") in ("https", "wss"),
        multiplexed=version >= "2",
        version=version,
        by_proxy=at_file or (client is not None and is_loopback_address(client)),
        query=scope.get("query_string", b"").decode("latin-1"),
    )


def is_below(path: str, base: str) -> bool:
    """Whether *path* is *base* or something below it."""
    return path == base or path.startswith(base + "/")


async def send_response(
    response: Response, send: Send, *, omit_body: bool = False, headers: Headers = ()
) -> None:
    """Send *response* with further *headers*, without its body for a HEAD request."""
    pairs = [*response.headers, *headers]
    if response.status not in (204, 304):
        pairs += [("content-type", response.content_type), ("content-length", str(len(response.body)))]
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if omit_body else response.body})


async def answer_lifespan(receive: Receive, send: Send) -> None:
    """Answer the lifespan events of an ASGI server until it has shut down."""
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return


def watched(
    receive: Receive, *, opened: Callable[[], None], closed: Callable[[], Awaitable[None]]
) -> Receive:
    """Return *receive* such that *opened* and *closed* are called as lifespan events go through it."""

    async def tell() -> Event:
        event = await receive()
        if event["type"] == "lifespan.startup":
            opened()
        elif event["type"] == "lifespan.shutdown":
            await closed()
        return event

    return tell
