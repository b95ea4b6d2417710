"""The server under load: which URLs can be one, and what is asked of it."""

from __future__ import annotations

import pytest

from mirant.load.target import Target, TargetInvalid


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("http://127.0.0.1:8080/cometd", "127.0.0.1", 8080, False),
        ("http://bus.example", "bus.example", 80, False),
        ("https://bus.example/cometd?a=b", "bus.example", 443, True),
        ("wss://bus.example:444/", "bus.example", 444, True),
        ("ws://[::1]:8080/cometd", "::1", 8080, False),
        ("http://bus.example/who@where", "bus.example", 80, False),
    ],
)
def test_where_it_is(url: str, host: str, port: int, *, secure: bool) -> None:
    target = Target(url=url)

    assert (target.host, target.port, target.secure) == (host, port, secure)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("localhost:8080", "should be a URL such as http://127.0.0.1:8080/cometd"),
        ("ftp://bus.example/", "should be a URL such as"),
        ("http:///cometd", "should be a URL such as"),
        ("http://[::1/x", "Invalid IPv6 URL"),
        ("http://bus.example:99999/", "[Pp]ort .*range"),
        ("http://bus.example:abc/", "[Pp]ort could not be .*abc"),
        ("http://bus.example:0/", "port 0 is none"),
        ("http://a..b/", "'a..b' is no name of a host"),
        (f"http://{'x' * 64}.example/", "is no name of a host"),
        ("http://bus.example/caf\u00e9", "should be ASCII"),
        ("http://b\u00fcs.example/", "should be ASCII"),
        ("http://bus.example/a b", "should be ASCII, with %20 for a space"),
        ("http://bus.example/\r\nX: y", "should be ASCII"),
        ("", "should be a URL such as"),
    ],
)
def test_what_cannot_be_one_is_refused_with_the_reason(url: str, complaint: str) -> None:
    with pytest.raises(TargetInvalid, match=complaint):
        Target(url=url)


@pytest.mark.parametrize("url", ["http://me:s3cret@bus.example/", "ws://s3cret@[::1/", "//me:s3cret@x"])
def test_credentials_in_a_url_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(TargetInvalid, match="in a header Authorization") as caught:
        Target(url=url)

    assert "s3cret" not in str(caught.value)


def test_a_request_has_the_path_the_host_and_the_headers() -> None:
    target = Target(url="http://bus.example:81/cometd?a=b#c", headers=(("X-Tea", "earl grey"),))

    assert target.head("GET", ("A", "1")) == (
        b"GET /cometd?a=b HTTP/1.1\r\nHost: bus.example:81\r\nX-Tea: earl grey\r\nA: 1\r\n"
    )
