"""Where a server listens, and what to say when it cannot."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import click


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to *host* and *port*."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _bind(family, kind, protocol, address)
    except (OSError, UnicodeError) as error:
        raise click.ClickException(_explain(error, host, port)) from None


def listen_at_file(path: Path) -> socket.socket:
    """Return a socket that is bound to the file *path*; one that a dead server left there is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket() and listener.connect_ex(str(path)) != 0:
            path.unlink()
            listener.close()
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise click.ClickException(f"Cannot listen at {path}: {error.strerror or error}.") from None
    return listener


def also_on_ipv6(listener: socket.socket) -> socket.socket | None:
    """Return a socket for this machine's IPv6 address at the same port, if it can be had.

    "localhost", which we print, is that address first for many clients, and some do not try another.
    """
    try:
        return _bind(
            socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, ("::1", listener.getsockname()[1])
        )
    except OSError:
        return None


def _bind(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    # With the protocol named: asyncio sets TCP_NODELAY only on connections of such a socket.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket, path: str, *, secure: bool = False) -> str:
    """Return an address for the browser's address bar, or the file that it listens at."""
    if listener.family == socket.AF_UNIX:
        return f"{path} on {listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified or is_loopback(listener):
        host = "localhost"
    return f"{'https' if secure else 'http'}://{f'[{host}]' if ':' in host else host}:{port}{path}"


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine can reach *listener*."""
    if listener.family == socket.AF_UNIX:
        return True
    return ip_address(listener.getsockname()[0]).is_loopback


def _explain(error: OSError | UnicodeError, host: str, port: int) -> str:
    elsewhere = f"{host!r} is no address of this machine. Try --host 127.0.0.1, or 0.0.0.0 for all it has."
    if isinstance(error, UnicodeError):
        return elsewhere
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken. Choose another: --port {port % 65535 + 1}, or --port 0 for a free one."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than you have. Choose one above 1023, such as --port 8080."
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return elsewhere
    return f"Cannot listen at {host} port {port}: {error.strerror}."
