"""What the bus needs to know of a scope, whatever the server leaves out."""

from __future__ import annotations

import pytest

from mirant.bus.request import UNIX
from mirant.hosts.asgi.mounts import split_path
from mirant.hosts.asgi.scope import is_below, request_of


def test_a_scope_with_the_least_that_asgi_asks_for() -> None:
    request = request_of({"type": "http", "headers": []})

    assert request.address is request.peer is None
    assert not request.secure
    assert not request.multiplexed


def test_a_scope_of_http_2_over_tls() -> None:
    headers = [(b"X-A", b"1"), (b"x-a", b"2"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]
    request = request_of(
        {"headers": headers, "client": ("192.0.2.7", 1), "scheme": "https", "http_version": "2"}
    )

    assert request.headers == {"x-a": "1, 2", "cookie": "a=1; b=2"}
    assert request.repeated == {"x-a", "cookie"}
    assert (request.address, request.secure, request.multiplexed) == ("192.0.2.7", True, True)


def test_a_server_at_a_file_has_unix_peers() -> None:
    assert request_of({"headers": [], "server": ("/run/bus", None)}).peer == UNIX


@pytest.mark.parametrize(
    ("root", "path", "below"),
    [
        ("", "/a", "/a"),
        ("/bus", "/bus/a", "/a"),  # ASGI's HTTP part since version 2.3
        ("/bus/", "/bus/a", "/a"),
        ("/bus", "/a", "/a"),  # older servers
        ("/bus", "/bus", ""),
        ("/bus", "/business", "/business"),
    ],
)
def test_the_path_below_the_mount(root: str, path: str, below: str) -> None:
    assert split_path({"root_path": root, "path": path}) == (root.rstrip("/"), below)


def test_what_is_below_a_path() -> None:
    assert is_below("/a", "/a")
    assert is_below("/a/b", "/a")
    assert not is_below("/ab", "/a")
