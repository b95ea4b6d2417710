"""A fetch ends at its deadline, whatever the server is slow with. Real time is the subject here."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from threading import Event, Thread
from time import sleep

import pytest

from mirant.identity.key_fetch import from_url
from tests.identity.answering import server


def test_an_answer_that_does_not_come() -> None:
    done = Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        done.wait(10)

    with server(answer) as url:
        with pytest.raises(OSError, match=r"timed out|longer than"):  # the socket's time, or ours
            from_url(url, timeout=0.05)
        done.set()


def test_an_answer_that_comes_in_drops() -> None:
    done = Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not done.wait(0.01):
            request.wfile.write(b" ")

    with server(answer) as url:
        with pytest.raises(TimeoutError, match="longer than"):
            from_url(url, timeout=0.1)
        done.set()


@contextmanager
def trickling(*begins: bytes, drop: bytes) -> Iterator[str]:
    """Serve one client with *begins*, then *drop* by *drop* for as long as it stays; give the address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            for piece in begins:
                connection.sendall(piece)
            while True:
                connection.sendall(drop)
                sleep(0.01)  # the subject: a server that sends a little now and then

    thread = Thread(target=serve)
    thread.start()
    try:
        yield "{}:{}".format(*listener.getsockname())
    finally:
        thread.join(10)
        assert not thread.is_alive(), "the client has not hung up"
        listener.close()


@pytest.mark.parametrize(
    ("scheme", "begins", "drop"),
    [
        ("http", b"", b"H"),
        ("http", b"HTTP/1.1 200 OK\r\nX: ", b"a"),
        ("http", b"HTTP/1.1 200 OK\r\n", b"X: a\r\n"),
        ("http", b"HTTP/1.1 200 OK\r\n\r\n{", b" "),
        ("http", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", b"0"),
        ("https", b"\x16\x03\x03\x40\x00", b"\x02"),  # the beginning of a long record
    ],
)
def test_nobody_waits_longer_than_he_wants_wherever_it_trickles(
    scheme: str, begins: bytes, drop: bytes
) -> None:
    with trickling(begins, drop=drop) as place, pytest.raises(TimeoutError, match="longer than"):
        from_url(f"{scheme}://{place}/", timeout=0.3)


def test_a_proxy_on_the_way_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    with trickling(b"HTTP/1.1 200 OK\r\nX: ", drop=b"a") as place:
        monkeypatch.setenv("https_proxy", f"http://{place}")
        with pytest.raises(TimeoutError, match="longer than"):
            from_url("https://id.example/", timeout=0.3)
