"""Answers over HTTP: whether the connection is used again."""

from __future__ import annotations

import pytest

from mirant.load.polling import _Connection, _Line


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
