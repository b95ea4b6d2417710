"""Answers over HTTP: where they end, and whether the connection is used again."""

from __future__ import annotations

import pytest

from mirant.load.polling import _Connection, _Line, length_after


class Line(_Line):
    """Takes answers, and whether their connection is kept."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, bool]] = []

    def answered(self, connection: _Connection, status: int, body: bytes) -> None:
        self.answers.append((status, body, connection.is_kept))


@pytest.mark.parametrize(("field", "kept"), [(b"", True), (b"Connection: close\r\n", False)])
@pytest.mark.parametrize("cut", [0, 20, 50])
def test_a_connection_is_kept_unless_the_server_says_otherwise(field: bytes, cut: int, *, kept: bool) -> None:
    line = Line()
    connection = _Connection(line)
    answer = b"HTTP/1.1 200 OK\r\n" + field + b"Content-Length: 2\r\n\r\n[]"
    for part in (answer[:cut], answer[cut:]):
        if part:
            connection.data_received(part)
    assert line.answers == [(200, b"[]", kept)]


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (OK + b"Content-Type: text/plain\r\nContent-Length: 17\r\n\r\n", 17),
        (OK + b"connection: Keep-Alive\r\ncontent-length:0\r\n\r\n", 0),
        (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n", None),
        (OK + b"Set-Cookie: a=b\r\nContent-Length: 2\r\n\r\n", None),
        (OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", None),
        (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n", None),
        (OK + b"Content-Length: -2\r\n\r\n", None),
        (OK + b"\r\n", None),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", None),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", None),
        (b"HTTP/1.1 402 Gone\r\nContent-Length: 2\r\n\r\n", None),
        (b"\r\n", None),
        (b"", None),
    ],
)
def test_a_head_is_known_if_nothing_in_it_has_to_be_heeded(head: bytes, length: int | None) -> None:
    assert length_after(head) == length


@pytest.mark.parametrize("size", [1, 7, 38, 40, 1_000])
def test_answers_are_found_in_whatever_parts_they_come(size: int) -> None:
    line = Line()
    connection = _Connection(line)
    bodies = [b"[]", b"[{}]", b"[]"]
    for body in bodies:
        answer = b"%bContent-Length: %d\r\n\r\n%b" % (OK, len(body), body)
        for start in range(0, len(answer), size):
            connection.data_received(answer[start : start + size])
    assert line.answers == [(200, body, True) for body in bodies]
