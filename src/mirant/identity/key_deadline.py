"""HTTP connections with a deadline for the whole exchange.

The timeout of a socket begins again with each piece that is read. A server that sends a byte of a header now
and then would keep its client for ever. Looking up a name and connecting have time limits of their own.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPSConnection
from threading import Timer
from types import TracebackType
from typing import Any, Self, TypeVar


class Deadline:
    """A time limit, in seconds, for everything that is done within the context, on one connection."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._passed = False
        self._connection: socket.socket | None = None
        self._timer = Timer(seconds, self._shut)
        self._timer.daemon = True

    def watch(self, connection: socket.socket) -> None:
        """Shut *connection* when the time is up. Only the first connection is watched.

        Raises:
            TimeoutError: the time is up already.
        """
        if self._connection is None:
            # A second descriptor of the same connection, because TLS takes the first one from its socket.
            self._connection = connection.dup()
        self.check()

    def check(self) -> None:
        """Return if there is time left.

        Raises:
            TimeoutError: the time is up.
        """
        if self._passed:
            raise TimeoutError(f"the answer took longer than {self._seconds:g} s")

    def _shut(self) -> None:
        self._passed = True
        if self._connection is not None:
            with suppress(OSError):  # the other end may have been quicker
                self._connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._connection is not None:
            self._connection.close()


class TimedConnection(HTTPConnection):
    """A connection of HTTP under a deadline."""

    deadline: Deadline  # set by `timed`, because the library's classes call the constructor

    def connect(self) -> None:
        super().connect()
        self.deadline.watch(self.sock)

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.deadline.watch(self.sock)  # if there is a proxy, `connect` itself sends a request to it
        super().send(data)


class TimedSecureConnection(HTTPSConnection, TimedConnection):
    """The same with TLS. `HTTPSConnection.connect` calls `TimedConnection.connect` first."""


C = TypeVar("C", bound=TimedConnection)


def timed(kind: type[C], deadline: Deadline) -> Callable[..., C]:
    """Return a function that makes connections of a *kind* under *deadline*."""

    def make(host: str, **options: Any) -> C:
        connection = kind(host, **options)
        connection.deadline = deadline
        return connection

    return make
