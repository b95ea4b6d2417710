"""One HTTP request to the bus, answered in place: no task, no timer, no ASGI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from mirant.bayeux.messages import Message
from mirant.bus.carrier import Outgoing
from mirant.bus.plain_connect import MAX_PLAIN, KnownConnect
from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.hosts.gate import CLOSE, announces_more, over_limit
from mirant.hosts.native.headers import packed
from mirant.hosts.native.lane import Lane
from mirant.hosts.native.requests import HttpRequest
from mirant.transports.exchanges import exchange_of
from mirant.transports.long_polling import Exchange, charset_of, is_utf8
from mirant.transports.response import Headers, Response

# RFC 9110, section 15.2.1
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

# The largest head that is known again when it comes again. It is kept for as long as its connection.
_MAX_KNOWN: Final = 8 * 1024

# Bytes of headers that are kept while a poll is held. They were judged, and are hardly asked for again.
_MAX_HELD: Final = 1024


class Respond(Protocol):
    """Sends the bytes of a whole response, after the *last* of which the connection ends.

    Returns whether the client is there to read them.
    """

    def __call__(self, response: bytes, *, last: bool) -> bool: ...


class Answering(Protocol):
    """What answers the request whose turn it is."""

    @property
    def reads(self) -> bool:
        """Whether more of the request is to come."""

    @property
    def is_held(self) -> bool:
        """Whether nobody can tell how long the answer will take."""

    def proceed(self) -> None:
        """Go on: more of the request has come."""

    def half_close(self) -> None:
        """Answer with replies alone from now on: the client sends no more, and may be gone for good."""

    def hang_up(self) -> None:
        """Give up: nobody waits for the answer any more."""


class BusAnswer:
    """Answers one request that speaks Bayeux."""

    __slots__ = (
        "_answered",
        "_exchange",
        "_headers",
        "_incoming",
        "_lane",
        "_replies_only",
        "_request",
        "_transport",
        "_write",
    )

    def __init__(
        self,
        lane: Lane,
        incoming: HttpRequest,
        request: Request,
        transport: str,
        *,
        write: Callable[[bytes], None],
        answered: Respond,
    ) -> None:
        """Answer *incoming*, which is *request* and speaks *transport*; *write* takes what comes before."""
        self._lane = lane
        self._incoming = incoming
        self._request = request
        self._transport = transport
        self._write = write
        self._answered = answered
        self._exchange: Exchange | None = None
        self._headers: Headers = lane.gate.headers(request)
        self._replies_only = False

    def begin(self) -> bool:
        """Begin when the head is there, so that a request which is refused need not send its body.

        Return whether the request was let in.
        """
        incoming, limit = self._incoming, self._lane.core.settings.max_body
        refusal = self._lane.gate.refusal(self._request, self._transport)
        if refusal is not None:
            self._answer(refusal)
            return False
        if announces_more(self._request.headers.get("content-length"), limit):
            self._answer(over_limit(limit))
        else:
            if not incoming.complete and self._expects_leave():
                self._write(CONTINUE)
            self.proceed()
        return True

    def proceed(self) -> None:
        incoming, limit = self._incoming, self._lane.core.settings.max_body
        if incoming.waiting > limit:
            self._answer(over_limit(limit))
        elif incoming.complete and self._exchange is None:
            self._serve(incoming.take_body())

    @property
    def session(self) -> Session | None:
        """Whose messages are in the request, once they have been read."""
        return None if self._exchange is None else self._exchange.session

    @property
    def reads(self) -> bool:
        return not self._incoming.complete

    @property
    def is_held(self) -> bool:
        """Whether it is a /meta/connect that is held until there is something to say."""
        return self._exchange is not None and is_held(self._exchange)

    def half_close(self) -> None:
        self._replies_only = True
        if self._exchange is not None:
            self._exchange.replies_only = True

    def hang_up(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            self._lane.core.detach(exchange, self._lane.now())

    def _expects_leave(self) -> bool:
        expected = self._request.headers.get("expect", "").lower()
        return expected == "100-continue" and self._incoming.version == "1.1"

    def _serve(self, body: bytes) -> None:
        lane = self._lane
        exchange = self._exchange = exchange_of(self._transport, lane.core, self._request, self._answer)
        exchange.replies_only = self._replies_only
        messages = exchange.read(body)
        self._incoming.drop_head()
        if messages is not None:
            task = lane.loop.start(lane.core.receive(messages, exchange, lane.now()), lane.state.tasks)
            if task is None:
                self._drop_head()
            else:
                task.add_done_callback(self._drop_head)

    def _drop_head(self, _: object = None) -> None:
        """Keep little of the head while the answer is held: hooks have seen it."""
        if self.is_held and self._exchange is not None:
            self._exchange.request = self._request = packed(self._request, _MAX_HELD)

    def _answer(self, response: Response) -> bool:
        # A client that is answered before its body has come may still be sending it: the connection ends.
        last = not (self._incoming.keep_alive and self._incoming.complete) or CLOSE in response.headers
        is_read = self._answered(self._lane.encode(response, self._headers, close=last), last=last)
        # The two refer to each other. Until the garbage collector found them, they would keep the head of the
        # request: a client that sends large heads had 195 MiB kept.
        self._exchange = None
        return is_read


def head_to_know(data: bytes, incoming: HttpRequest) -> bytes | None:
    """Return the head of *incoming* if *data* is that head and a whole body of the length in it."""
    if incoming.method != "POST" or not (incoming.complete and incoming.keep_alive):
        return None
    end = data.find(b"\r\n\r\n") + 4
    names = {name.lower() for name, _ in incoming.headers}
    if (
        end > _MAX_KNOWN
        or end + incoming.waiting != len(data)
        or b"content-length" not in names
        or b"expect" in names
    ):
        return None
    return data[:end]


class KnownAnswer(Exchange):
    """Answers requests with a known head, one after the other, on one connection.

    A client that polls sends the same head with every request. A head that is equal byte for byte means the
    same, so it is neither parsed nor judged again. Both took two thirds of the time of a poll. One object
    answers all of them.
    """

    __slots__ = (
        "_answered",
        "_connect",
        "_headers",
        "_is_utf8",
        "_lane",
        "_may_be_plain",
        "gate",
        "head",
        "size",
    )

    def __init__(self, lane: Lane, head: bytes, size: int, request: Request, answered: Respond) -> None:
        """Know *head*, of a request of *size* bytes, head and body, that is a POST and was let in."""
        self._core = lane.core
        self.request = request
        self.browser = lane.core.browsers.of(request)
        self.session = None
        self.replies_only = False
        self._lane = lane
        self._answered = answered
        self.head = head
        self.size = size
        self.gate = lane.gate  # the one that let the head in; after a reload there is another
        self._headers: Headers = lane.gate.headers(request)
        self._is_utf8 = is_utf8(charset_of(request))
        self._connect: KnownConnect | None = None  # the connect that came last, if it was plain
        self.request = packed(request, _MAX_KNOWN)
        self._may_be_plain = self._is_utf8 and size - len(head) <= min(MAX_PLAIN, lane.core.settings.max_body)

    def serve(self, data: bytes) -> None:
        """Process the messages of the request that *data* is."""
        lane, now = self._lane, self._lane.now()
        body = data[len(self.head) :]
        self.session = None
        if self._may_be_plain:
            self._connect = lane.core.hold_plain(body, self, now, self._connect)
            if self._connect is not None:
                return
        messages = self.read(body)
        if messages is not None:
            lane.loop.start(lane.core.receive(messages, self, now), lane.state.tasks)

    def read(self, body: bytes) -> list[Message] | None:
        if self._is_utf8 and body[:1] == b"[":
            return self.decode(body)
        return super().read(body)

    def send(self, out: Outgoing) -> bool:
        # A poll is answered with one batch and one reply.
        if len(out.before) == 1 and len(out.replies) == 1 and not (out.after or out.opens or self._headers):
            return self._answered(self._lane.encode_poll(out.before[0].opening, out.replies[0]), last=False)
        return super().send(out)

    @property
    def reads(self) -> bool:
        """Whether more of the request is to come."""
        return False

    @property
    def is_held(self) -> bool:
        """Whether it is a /meta/connect that is held until there is something to say."""
        return is_held(self)

    def proceed(self) -> None:
        """Nothing more of the request can come."""

    def half_close(self) -> None:
        self.replies_only = True

    def hang_up(self) -> None:
        """Give up: nobody waits for the answer any more."""
        self._lane.core.detach(self, self._lane.now())

    def _answer(self, response: Response) -> bool:
        return self._answered(self._lane.encode(response, self._headers, close=False), last=False)


def is_held(exchange: Exchange) -> bool:
    """Whether *exchange* is a /meta/connect that is held until there is something to say."""
    session = exchange.session
    return session is not None and session.held is not None and session.held.carrier is exchange
