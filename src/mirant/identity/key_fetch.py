"""Getting the bytes of a key set, from a file or over HTTP. This blocks: call it in a thread."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from mirant.identity.key_deadline import Deadline, TimedConnection, TimedSecureConnection, timed

#: Returns the bytes of a key set, or raises any exception.
Fetch = Callable[[], bytes]

# Google's two keys are 1 KiB, a large tenant's fifty with certificates 150 KiB.
MAX_SIZE: Final = 256 * 1024

# Seconds for the whole of an answer. A handshake may be waiting for it.
_TIMEOUT: Final = 5.0


def from_file(path: Path) -> bytes:
    """Return the contents of the file at *path*.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large.
    """
    with path.open("rb") as file:
        return _checked(file.read(MAX_SIZE + 1))


def from_url(url: str, *, timeout: float = _TIMEOUT) -> bytes:
    """Return the body at *url*, within *timeout* seconds. Redirects are not followed.

    Raises:
        OSError: it cannot be reached, or its answer is not 200.
        ValueError: the answer is too large.
        http.client.HTTPException: the server does not speak HTTP.
    """
    request = Request(url, headers={"accept": "application/json", "user-agent": "mirant"})
    with Deadline(timeout) as deadline:
        try:
            body = _read(_opener(url, deadline).open(request, timeout=timeout))
        except (OSError, HTTPException):
            deadline.check()
            raise
        deadline.check()  # a body without a length looks complete when the connection was shut
    return _checked(body)


def _read(response: HTTPResponse) -> bytes:
    with response:
        if response.status != 200:
            raise OSError(f"the answer is {response.status}, not 200")
        return response.read(MAX_SIZE + 1)


class _PlainHandler(HTTPHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._connect = timed(TimedConnection, deadline)

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(self._connect, req)


class _SecureHandler(HTTPSHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._connect = timed(TimedSecureConnection, deadline)

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(self._connect, req)


def _opener(url: str, deadline: Deadline) -> OpenerDirector:
    """Return an opener for *url*. The standard one would follow redirects and read local files."""
    opener = OpenerDirector()
    handlers = [
        _PlainHandler(deadline),
        _SecureHandler(deadline),
        UnknownHandler(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
    ]
    if urlsplit(url).scheme == "https":
        opener.add_handler(ProxyHandler())  # the environment's proxy; http is for this machine only
    for handler in handlers:
        opener.add_handler(handler)
    return opener


def _checked(raw: bytes) -> bytes:
    if len(raw) > MAX_SIZE:
        raise ValueError(f"a key set has {MAX_SIZE} bytes at most")
    return raw
