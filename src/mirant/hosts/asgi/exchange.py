"""One HTTP request with messages, and its response, which may be long in coming."""

from __future__ import annotations

import asyncio
from typing import Any

from mirant.bus.request import Request
from mirant.hosts.asgi.scope import Receive
from mirant.hosts.gate import announces_more, over_limit
from mirant.hosts.loop import Loop
from mirant.transports.exchanges import exchange_of
from mirant.transports.long_polling import Exchange
from mirant.transports.response import Response


async def answer_messages(loop: Loop, transport: str, request: Request, receive: Receive) -> Response | None:
    """Return the response to *request*, which speaks *transport*.

    None if the client went away before there was one.
    """
    limit = loop.core.settings.max_body
    body = await read_body(request, receive, limit)
    if body is None:
        return over_limit(limit)
    answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    exchange = exchange_of(transport, loop.core, request, lambda response: _settle(answer, response))
    return await _run(loop, exchange, body, answer, receive)


async def read_body(request: Request, receive: Receive, limit: int) -> bytes | None:
    """Return the whole body, or None as soon as it is known to be larger than *limit*."""
    if announces_more(request.headers.get("content-length"), limit):
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return b""
        part = event.get("body", b"")
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
        if not event.get("more_body", False):
            return b"".join(parts)


async def _run(
    loop: Loop, exchange: Exchange, body: bytes, answer: asyncio.Future[Response], receive: Receive
) -> Response | None:
    messages = exchange.read(body)
    try:
        if messages is not None:
            await loop.run(loop.core.receive(messages, exchange, loop.now()))
            await asyncio.sleep(0)  # the flush at the end of this turn gives most answers
        if not answer.done():
            await _until_gone_or(answer, receive)
    finally:
        if not answer.done():
            loop.core.detach(exchange, loop.now())
    return answer.result() if answer.done() else None


def _settle(answer: asyncio.Future[Response], response: Response) -> bool:
    """Give *answer* its result if somebody waits for it; return whether somebody does."""
    if answer.done():
        return False
    answer.set_result(response)
    return True


async def until_gone(receive: Receive) -> None:
    """Wait until the client has closed its connection. A part of the body may come before."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _until_gone_or(answer: asyncio.Future[Response], receive: Receive) -> None:
    """Wait until *answer* has a result or the client has closed its connection."""
    gone = asyncio.ensure_future(until_gone(receive))
    waiting: set[asyncio.Future[Any]] = {answer, gone}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
