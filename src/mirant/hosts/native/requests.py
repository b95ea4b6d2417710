"""HTTP/1.1 requests out of bytes (RFC 9112), without I/O: bounded, one after the other."""

from __future__ import annotations

from collections import deque
from typing import Final

import httptools

from mirant.hosts.native.headers import RawHeaders

# Largest request head: URL and headers. nginx takes 32 KiB, Jetty 8; cookies of a big site fill a few.
MAX_HEAD: Final = 64 * 1024

# Most headers of one request, trailers among them. Browsers send 20, behind proxies 30.
MAX_HEADERS: Final = 100


class RequestInvalid(Exception):
    """What came is not a request that can be answered; `status` and `sentence` say why. Reading is over."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(status, sentence)
        self.status = status
        self.sentence = sentence

    def __str__(self) -> str:
        return f"{self.status}: {self.sentence}"


class HttpRequest:
    """One request message (RFC 9112, section 2.1) whose head is complete. Its body may still be coming."""

    __slots__ = ("_body", "complete", "headers", "keep_alive", "method", "rest", "upgrades", "url", "version")

    def __init__(self) -> None:
        self.method = "GET"
        self.url = b""
        self.version = "1.1"
        self.headers: RawHeaders = []  # names as they were spelt
        self.keep_alive = True
        self._body: bytes | bytearray = b""
        self.complete = False
        self.upgrades = False  # whether the connection is to speak another protocol from here on
        self.rest = b""  # what came after it, if it upgrades

    def head(self, *, without: frozenset[bytes] = frozenset()) -> bytes:
        """Return the head as bytes again, as it was understood, but for the headers named in *without*."""
        lines = [b"%b %b HTTP/%b\r\n" % (self.method.encode(), self.url, self.version.encode())]
        lines += [
            b"%b: %b\r\n" % (name, value) for name, value in self.headers if name.lower() not in without
        ]
        return b"%b\r\n" % b"".join(lines)

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks, not with a length."""
        return any(name.lower() == b"transfer-encoding" for name, _ in self.headers)

    @property
    def longest_line(self) -> int:
        """The length of the longest line of the head."""
        fields = (len(name) + len(value) + len(b": \r\n") for name, value in self.headers)
        return max(len(self.method) + len(self.url) + len(b"  HTTP/1.1\r\n"), *fields, 0)

    @property
    def waiting(self) -> int:
        """How many bytes of the body wait to be taken."""
        return len(self._body)

    def drop_head(self) -> None:
        """Forget URL and headers, which were judged: an answer may be long in coming."""
        self.url, self.headers = b"", []

    def add_body(self, part: bytes) -> None:
        """Append a part of the body. Most bodies come in one part, some in a million."""
        if not self._body:
            self._body = part
        elif isinstance(self._body, bytearray):
            self._body += part
        else:
            self._body = bytearray(self._body) + part

    def take_body(self) -> bytes:
        """Return what has come of the body since the last time."""
        body, self._body = self._body, b""
        return bytes(body)


class RequestReader:
    """Reads the requests of one connection. Feed it bytes; requests with a complete head are in `arrived`."""

    __slots__ = (
        "_head_size",
        "_header_count",
        "_in_head",
        "_over",
        "_parser",
        "_reading",
        "_silent",
        "arrived",
        "work",
    )

    def __init__(self) -> None:
        #: What there was to do so far: requests, headers, and parts of bodies, each about 1 µs.
        self.work = 0
        #: Requests in their order. The body of the last one may still be coming.
        self.arrived: deque[HttpRequest] = deque()
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._reading: HttpRequest | None = None
        self._in_head = False
        self._head_size = 0
        self._header_count = 0
        self._silent = 0  # bytes since the parser's last call: it buffers them without a limit of its own
        self._over = False  # whether nothing follows any more

    @property
    def in_head(self) -> bool:
        """Whether a request has begun whose head is not complete."""
        return self._in_head

    @property
    def unfinished(self) -> bool:
        """Whether a request has begun that is not complete."""
        return self._reading is not None

    @property
    def waiting(self) -> int:
        """How many bytes of an unfinished body wait to be taken."""
        return 0 if self._reading is None else self._reading.waiting

    def close(self) -> None:
        """Drop the parser: it and this object refer to each other."""
        self._parser = None
        self._over = True

    def feed(self, data: bytes) -> None:
        """Parse *data*.

        Raises:
            RequestInvalid: it is not HTTP. The requests in `arrived` are good.
        """
        if self._over:
            return
        self._silent += len(data)
        rest: bytes | None = data
        while rest is not None:
            rest = self._parse(rest)
        if self._silent > MAX_HEAD:
            raise _too_large()

    def _parse(self, data: bytes) -> bytes | None:
        """Parse *data*; return what is to be parsed next, if the parser stopped."""
        assert self._parser is not None, "it was not closed"
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return self._upgrade(data[upgrade.args[0] :])
        except (httptools.HttpParserError, UnicodeDecodeError) as error:
            if not self._over:
                raise _cause_of(error) from None
        return None

    # --- What the parser calls ---

    def on_message_begin(self) -> None:
        self.work += 4
        self._reading = HttpRequest()
        self._in_head = True
        self._head_size = self._header_count = self._silent = 0

    def on_url(self, url: bytes) -> None:
        assert self._reading is not None, "a request has begun"
        self._reading.url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        assert self._reading is not None, "a request has begun"
        self.work += 1
        self._header_count += 1
        self._count(len(name) + len(value))
        if self._in_head:  # a trailer is discarded (RFC 9112, section 7.1.2)
            self._reading.headers.append((name, value))

    def _count(self, size: int) -> None:
        self._silent = 0
        self._head_size += size
        if self._head_size > MAX_HEAD or self._header_count > MAX_HEADERS:
            raise _too_large()

    def on_headers_complete(self) -> None:
        request, parser = self._reading, self._parser
        assert request is not None, "a request has begun"
        assert parser is not None, "it is calling"
        self._in_head = False
        request.method = parser.get_method().decode("ascii")
        request.version = parser.get_http_version()
        if request.version not in ("1.1", "1.0"):
            raise RequestInvalid(505, "This server speaks HTTP/1.1.")
        request.upgrades = parser.should_upgrade()
        request.keep_alive = request.version != "1.0" and parser.should_keep_alive()
        if not request.upgrades:
            self.arrived.append(request)

    def on_body(self, body: bytes) -> None:
        assert self._reading is not None, "a request has begun"
        self.work += 1
        self._reading.add_body(body)
        self._silent = 0

    def on_message_complete(self) -> None:
        assert self._reading is not None, "a request has begun"
        self._silent = 0
        if not self._reading.upgrades:
            self._reading.complete = True
            self._over = not self._reading.keep_alive  # RFC 9112, section 9.6: what follows is ignored
            self._reading = None

    # --- Upgrades ---

    def _upgrade(self, rest: bytes) -> bytes | None:
        """Handle a request for another protocol, with *rest* after it; return what is to be parsed next."""
        request = self._reading
        assert request is not None, "a request has begun"
        self._reading = None
        if _asks_for_websocket(request):
            request.rest, request.complete = rest, True
            self.arrived.append(request)
            self._over = True
            return None
        if request.method == "CONNECT":
            raise RequestInvalid(405, "This server is no proxy.")
        # RFC 9110, section 7.8: a server may ignore an Upgrade. Java and curl ask for HTTP/2. The parser took
        # what follows for the other protocol, so it reads the request again, without that header.
        self._parser = httptools.HttpRequestParser(self)
        return request.head(without=frozenset({b"upgrade"})) + rest


def _asks_for_websocket(request: HttpRequest) -> bool:
    """Whether *request* can begin a WebSocket (RFC 6455, section 4.1): a GET that has no body."""
    headers = [(name.lower(), value.strip().lower()) for name, value in request.headers]
    has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in headers)
    offered = {value for name, value in headers if name == b"upgrade"}
    return offered == {b"websocket"} and not has_body and (request.method, request.version) == ("GET", "1.1")


def _too_large() -> RequestInvalid:
    return RequestInvalid(
        431, f"The headers are too large: {MAX_HEAD} bytes and {MAX_HEADERS} are the limit."
    )


def _cause_of(error: Exception) -> RequestInvalid:
    # httptools raises an error of its own from what a callback raised.
    if isinstance(error.__context__, RequestInvalid):
        return error.__context__
    return RequestInvalid(400, "This is no HTTP request.")
