"""Fetching a key set over HTTP or from a file: which answers are taken, and that no other place is asked."""

from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from mirant.identity.key_fetch import MAX_SIZE, from_file, from_url
from tests.identity.answering import give, server


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_is_sent_elsewhere(status: int) -> None:
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        give(b"", status, location="/elsewhere")(request)

    with server(answer) as url, pytest.raises(OSError, match=str(status)) as caught:
        from_url(url)
    caught.value.close()  # type: ignore[attr-defined]  # urllib's error is its response
    assert asked == ["/jwks.json"]


@pytest.mark.parametrize("status", [204, 400, 404, 500])
def test_answers_that_are_none(status: int) -> None:
    with server(give(b"", status)) as url, pytest.raises(OSError, match=str(status)) as caught:
        from_url(url)
    if hasattr(caught.value, "close"):
        caught.value.close()


def test_an_answer_that_is_too_large() -> None:
    with server(give(b" " * (MAX_SIZE + 1))) as url, pytest.raises(ValueError, match="at most"):
        from_url(url)
    with server(give(b" " * MAX_SIZE)) as url:
        assert len(from_url(url)) == MAX_SIZE


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"])
def test_what_is_not_opened(url: str) -> None:
    with pytest.raises(OSError, match="unknown url type"):
        from_url(url)


def test_a_file_is_read_up_to_a_size(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most"):
        from_file(Path("/dev/zero"))
    (tmp_path / "a").write_bytes(b"a" * MAX_SIZE)
    assert len(from_file(tmp_path / "a")) == MAX_SIZE
