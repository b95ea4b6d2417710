"""Listening at an address or a file, and explaining why that is impossible."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import click


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to *host* and *port*."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _bind(family, kind, protocol, address)
    except (OSError, UnicodeError) as error:
        raise click.ClickException(_explain(error, host, port)) from None


@dataclass(frozen=True, slots=True)
class SocketFile:
    """A file to listen at, and who may connect there: its *mode*, or what the umask leaves."""

    path: Path
    mode: int | None = None


@contextmanager
def listening_at(file: SocketFile) -> Iterator[socket.socket]:
    """Give a socket that is bound to *file*. The file is removed at the end of the context.

    A file that a dead server left is replaced. If another server replaced the file meanwhile, it stays.
    """
    try:
        if _is_dead(file.path):
            file.path.unlink()
        listener = _bind_file(file)
        ours = _identity(file.path)
    except OSError as error:
        raise click.ClickException(f"Cannot listen at {file.path}: {error.strerror or error}.") from None
    try:
        yield listener
    finally:
        listener.close()
        with suppress(FileNotFoundError):
            if _identity(file.path) == ours:
                file.path.unlink()


def _is_dead(path: Path) -> bool:
    """Whether *path* is a socket at which no server listens. In doubt the answer is False."""
    if not path.is_socket():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)  # the queue of a busy server may be full
        return probe.connect_ex(str(path)) == errno.ECONNREFUSED


def _bind_file(file: SocketFile) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(file.path))
        if file.mode is not None:
            file.path.chmod(file.mode)
        # After the mode was set, so that nobody can connect before. Until now the file looks dead to others.
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _identity(path: Path) -> tuple[int, int, int]:
    """Return what tells a file from others at its path. The time belongs to it: inode numbers are reused."""
    found = path.lstat()
    return found.st_dev, found.st_ino, found.st_mtime_ns


def also_on_ipv6(listener: socket.socket) -> socket.socket | None:
    """Return a socket for this machine's IPv6 address at the same port; None if that is impossible.

    The server prints "localhost". Many clients try the IPv6 address of that first, and some try no other.
    """
    try:
        return _bind(
            socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, ("::1", _address_of(listener).port)
        )
    except OSError:
        return None


def _bind(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    # The protocol is named, because asyncio sets TCP_NODELAY only on connections of such a socket.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket, path: str, *, secure: bool = False) -> str:
    """Return an address for the browser's address bar, or for a Unix socket *path* and the file."""
    if listener.family == socket.AF_UNIX:
        return f"{path} on {listener.getsockname()}"
    host, port = _address_of(listener)
    if ip_address(host).is_unspecified or is_loopback(listener):
        host = "localhost"
    return f"{'https' if secure else 'http'}://{f'[{host}]' if ':' in host else host}:{port}{path}"


class _Address(NamedTuple):
    host: str
    port: int


def _address_of(listener: socket.socket) -> _Address:
    host, port, *_ = listener.getsockname()  # IPv6 has two fields more
    return _Address(host, port)


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine can reach *listener*."""
    if listener.family == socket.AF_UNIX:
        return True
    return ip_address(_address_of(listener).host).is_loopback


def _explain(error: OSError | UnicodeError, host: str, port: int) -> str:
    elsewhere = (
        f"{host!r} is not an address of this machine. Try --host 127.0.0.1, or 0.0.0.0 for all it has."
    )
    if isinstance(error, UnicodeError):
        return elsewhere
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken. Choose another: --port {port % 65535 + 1}, or --port 0 for a free one."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than you have. Choose one above 1023, such as --port 8080."
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return elsewhere
    return f"Cannot listen at {host} port {port}: {error.strerror}."
