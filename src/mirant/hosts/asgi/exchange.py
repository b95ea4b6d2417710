"""One HTTP request with messages, and its response, which may be long in coming."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from mirant.bus.request import Request
from mirant.hosts.asgi.scope import Receive
from mirant.hosts.gate import CLOSE, announces_more, over_limit
from mirant.hosts.loop import Loop
from mirant.hosts.native.deadlines import LEAST_SENT
from mirant.hosts.progress import LARGE, Download
from mirant.hosts.turns import PROMPT, take_turn
from mirant.transports.exchanges import exchange_of
from mirant.transports.long_polling import Exchange
from mirant.transports.response import Response, refuse

# The response to a client that has gone. A middleware that waits for a response takes none for a failure, and
# Starlette's logs a traceback then.
_GONE: Final = Response(204, b"")

#: Seconds for a body, from its first part to its last; again for each `LEAST_SENT` bytes of it.
BODY_DEADLINE: Final = 30.0

#: Sends a response.
Respond = Callable[[Response], Awaitable[None]]


async def answer_messages(
    loop: Loop, transport: str, request: Request, receive: Receive, respond: Respond
) -> None:
    """Answer *request*, which speaks *transport*.

    Cancellation: a /meta/connect that is held is answered first, with advice to come back later.
    """
    limit = loop.core.settings.max_body
    body = await read_body(request, receive, limit)
    if body is None:
        await respond(over_limit(limit))
        return
    if len(body) > PROMPT:
        await take_turn(loop.turns)
    answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    exchange = exchange_of(transport, loop.core, request, lambda response: _settle(answer, response))
    try:
        response = await _run(loop, exchange, body, answer, receive)
    except asyncio.CancelledError:
        if answer.done():
            await respond(answer.result())
        raise
    await respond(response)
    if len(response.body) >= LARGE:
        loop.core.watch(exchange.session, Download(len(response.body), loop.now()))


class BodyLate(Exception):
    """A body has not come in time."""

    @property
    def response(self) -> Response:
        """What its client is answered."""
        return refuse(408, "The request did not come in time.", CLOSE)


async def read_body(request: Request, receive: Receive, limit: int) -> bytes | None:
    """Return the whole body, or None as soon as it is known to be larger than *limit*.

    Raises:
        BodyLate: it takes too long.
    """
    if announces_more(request.headers.get("content-length"), limit):
        return None
    body = bytearray()  # not a list: a client may send a million parts of one byte
    looked_at = 0
    try:
        async with asyncio.timeout(BODY_DEADLINE) as timeout:
            while len(body) <= limit:
                event = await receive()
                if event["type"] == "http.disconnect":
                    return b""
                body += event.get("body", b"")
                if not event.get("more_body", False):
                    break
                if len(body) - looked_at >= LEAST_SENT:
                    looked_at = len(body)
                    timeout.reschedule(asyncio.get_running_loop().time() + BODY_DEADLINE)
    except TimeoutError:
        raise BodyLate from None
    return bytes(body) if len(body) <= limit else None


async def _run(
    loop: Loop, exchange: Exchange, body: bytes, answer: asyncio.Future[Response], receive: Receive
) -> Response:
    messages = exchange.read(body)
    try:
        if messages is not None:
            await loop.run(loop.core.receive(messages, exchange, loop.now()))
            await asyncio.sleep(0)  # the flush at the end of this turn gives most answers
        if not answer.done():
            await _until_gone_or(answer, receive)
    except asyncio.CancelledError:
        # Most likely the server ends. The client may be there or not, so what waits for it stays.
        exchange.replies_only = True
        loop.core.let_go(exchange, loop.now())
        raise
    finally:
        if not answer.done():
            loop.core.detach(exchange, loop.now())
    return answer.result() if answer.done() else _GONE


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
    gone.add_done_callback(take_note)
    waiting: set[asyncio.Future[Any]] = {answer, gone}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()


def take_note(ended: asyncio.Future[Any]) -> None:
    """Take note of what *ended* raised: asyncio logs an exception that nobody has asked for."""
    if not ended.cancelled():
        ended.exception()
