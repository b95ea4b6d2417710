"""The server under load: where it is and how to speak to it."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mirant.client.options import ClientOptions

WEBSOCKET = "websocket"
LONG_POLLING = "long-polling"


class TargetInvalid(ValueError):
    """The address is not that of a Bayeux server, or a header cannot be sent."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A Bayeux server, and how its clients connect.

    Raises:
        TargetInvalid: the URL cannot be used or holds credentials, or a header holds a line break.
    """

    url: str
    transport: str = WEBSOCKET
    ack: bool = False  # ask for CometD's acknowledge extension
    ext: dict[str, Any] = field(default_factory=dict)  # sent with the handshake
    headers: tuple[tuple[str, str], ...] = ()
    verify_tls: bool = True

    def __post_init__(self) -> None:
        self._check_url()
        for name, value in self.headers:
            if not name or any(c in f"{name}{value}" for c in "\r\n") or not f"{name}{value}".isascii():
                raise TargetInvalid(f"the header {name!r} should be one line of ASCII")

    def _check_url(self) -> None:
        if re.match("[^/?#]*//[^/?#]*@", self.url):  # not quoted, here or in reports
            raise TargetInvalid("name and password should not be in the URL but in a header Authorization")
        if re.fullmatch("[!-~]*", self.url) is None:
            raise TargetInvalid(f"{self.url!r} should be ASCII, with %20 for a space and so on")
        wanted = f"{self.url!r} should be a URL such as http://127.0.0.1:8080/cometd"
        try:
            self.host.encode("idna")  # the form in which it is looked up
            if self.port == 0:
                raise TargetInvalid(f"{wanted}: port 0 is none")
        except UnicodeError:
            raise TargetInvalid(f"{wanted}: {self.host!r} is no name of a host") from None
        except ValueError as error:
            raise TargetInvalid(f"{wanted}: {error}") from None
        if self.parts.scheme not in ("http", "https", "ws", "wss") or not self.host:
            raise TargetInvalid(wanted)

    @cached_property
    def parts(self) -> SplitResult:
        """The URL in its parts."""
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        """The name or address to connect to."""
        return self.parts.hostname or ""

    @property
    def secure(self) -> bool:
        """Whether to speak TLS."""
        return self.parts.scheme in ("https", "wss")

    @property
    def port(self) -> int:
        """The port to connect to."""
        if self.parts.port is not None:
            return self.parts.port
        return 443 if self.secure else 80

    @cached_property
    def client_options(self) -> ClientOptions:
        """How its clients behave: as CometD's, but with shorter waits after failures."""
        return ClientOptions(
            connection_types=(self.transport,),
            hold=30.0,
            backoff_limit=10.0,
            ack=self.ack,
            handshake_fields={"ext": self.ext} if self.ext else {},
        )

    @cached_property
    def tls(self) -> ssl.SSLContext | None:
        """The TLS settings; None for a connection without TLS."""
        if not self.secure:
            return None
        context = ssl.create_default_context()
        if not self.verify_tls:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def head(self, method: str, *fields: tuple[str, str]) -> bytes:
        """Return the head of an HTTP request with these fields and `headers`, without the empty line."""
        path = (self.parts.path or "/") + (f"?{self.parts.query}" if self.parts.query else "")
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in (*self.headers, *fields)]
        return "\r\n".join(lines).encode("ascii") + b"\r\n"
