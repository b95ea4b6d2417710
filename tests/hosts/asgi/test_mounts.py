"""Where the bus is: by what each server and each framework says, as it was seen in their scopes."""

from __future__ import annotations

from typing import Any, Final

import pytest

from mirant import Bus
from mirant.hosts.asgi.mounts import mounted, split_path
from tests.hosts.asgi.caller import Call

# What hypercorn, granian and daphne give beside the path. `raw_path` is what the client sent.
_PLAIN: Final = {"root_path": "/api", "raw_path": b"/cometd/mirant.js"}

#: Scopes by who makes them, for the page mirant.js of a bus at /cometd behind a proxy that strips /api.
SHAPES: Final[dict[str, dict[str, Any]]] = {
    "uvicorn, Starlette's mount": {
        "root_path": "/api/cometd",
        "app_root_path": "/api",
        "path": "/api/cometd/mirant.js",
        "raw_path": b"/api/cometd/mirant.js",
    },
    "hypercorn, Starlette's mount": {
        **_PLAIN,
        "root_path": "/api/cometd",
        "app_root_path": "/api",
        "path": "/cometd/mirant.js",
    },
    "FastAPI(root_path=…) and its mount": {
        "root_path": "/api/cometd",
        "app_root_path": "/api",
        "path": "/cometd/mirant.js",
        "raw_path": b"/cometd/mirant.js",
    },
    "the same, by a proxy that does not strip": {
        "root_path": "/api/cometd",
        "app_root_path": "/api",
        "path": "/api/cometd/mirant.js",
        "raw_path": b"/api/cometd/mirant.js",
    },
    "uvicorn, Litestar's mount": {
        "root_path": "/api",
        "path": "/mirant.js/",
        "raw_path": b"/api/cometd/mirant.js",
    },
    "hypercorn, Litestar's mount": {**_PLAIN, "path": "/mirant.js/"},
    "the same, by a proxy that does not strip ": {
        "root_path": "/api",
        "path": "/mirant.js/",
        "raw_path": b"/api/cometd/mirant.js",
    },
    "uvicorn, a route of channels": {
        "root_path": "/api",
        "path": "/api/cometd/mirant.js",
        "path_remaining": "mirant.js",
        "raw_path": b"/api/cometd/mirant.js",
        "url_route": {"args": (), "kwargs": {}},
    },
    "a route of channels with a parameter": {
        "root_path": "/api",
        "path": "/api/cometd/mirant.js",
        "path_remaining": "",
        "raw_path": b"/api/cometd/mirant.js",
        "url_route": {"args": (), "kwargs": {"number": 7, "rest": "mirant.js"}},
    },
    "a route of channels with a nameless parameter": {
        "root_path": "/api",
        "path": "/api/cometd/mirant.js",
        "path_remaining": "",
        "url_route": {"args": ("mirant.js",), "kwargs": {}},
    },
    "an older Starlette's mount, which cut the path": {
        "root_path": "/api/cometd",
        "path": "/mirant.js",
        "raw_path": b"/cometd/mirant.js",
    },
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_pages_know_the_address_that_browsers_use(shape: str) -> None:
    assert split_path(SHAPES[shape])[0] == "/api/cometd"

    script = Call(Bus(), {"type": "http", "method": "GET", **SHAPES[shape]})
    script.tell("http.request", body=b"")
    await script.end()
    assert script.status == 200
    assert b"export" in script.body


@pytest.mark.parametrize("root", ["", "/api"])
@pytest.mark.parametrize(
    "scope",
    [
        {"path": "/cometd/x", "raw_path": b"/cometd/x"},  # hypercorn, granian, daphne
        {"path": "/cometd/x"},
        {"path": "{root}/cometd/x", "raw_path": b"{root}/cometd/x"},  # uvicorn; others if nothing is stripped
        {"path": "/cometd/x", "raw_path": None},
    ],
)
def test_in_front_of_an_application(scope: dict[str, Any], root: str) -> None:
    filled = {
        key: value.replace("{root}", root)
        if isinstance(value, str)
        else value and value.replace(b"{root}", root.encode())
        for key, value in scope.items()
    }
    inner = mounted({"root_path": root, **filled}, "/cometd")

    assert (inner["root_path"], inner["path"]) == (root + "/cometd", root + "/cometd/x")
    assert split_path(inner) == (root + "/cometd", "/x")


def test_in_front_of_an_application_inside_of_litestar() -> None:
    scope = {"root_path": "", "path": "/cometd/x/", "raw_path": b"/sub/cometd/x"}

    assert split_path(mounted(scope, "/cometd")) == ("/sub/cometd", "/x")


@pytest.mark.parametrize(
    ("path", "raw", "base", "below"),
    [
        ("/", b"/cometd/", "/cometd", ""),
        ("/", b"/cometd", "/cometd", ""),
        ("/", b"/", "", "/"),
        ("/a b", b"/a%20b", "", "/a b"),
        ("/x", b"/c%C3%B6met/x", "/cömet", "/x"),
        ("/x", b"/another", "", "/x"),
        ("/x", b"", "", "/x"),
    ],
)
def test_the_path_that_the_client_sent(path: str, raw: bytes, base: str, below: str) -> None:
    assert split_path({"path": path, "raw_path": raw}) == (base, below)


@pytest.mark.parametrize("root", ["/api//cometd", "//api/cometd/", "/api//cometd//"])
def test_a_prefix_with_too_many_slashes_makes_no_other_address(root: str) -> None:
    """The options of servers take "/api/". A link that begins with two slashes leads to another host."""
    assert split_path({"root_path": root, "path": root.rstrip("/") + "/a"}) == ("/api/cometd", "/a")


def test_a_parameter_that_is_no_end_of_the_path_is_no_page() -> None:
    scope = {"path": "/users/js/cometd/a.js", "path_remaining": "", "url_route": {"kwargs": {"user": "js"}}}

    assert split_path(scope)[1] == ""


def test_the_page_itself_at_a_route_of_channels() -> None:
    assert split_path({"root_path": "", "path": "/cometd/", "path_remaining": ""}) == ("/cometd", "")


async def test_a_page_of_a_mount_in_a_mount_links_to_its_public_address() -> None:
    page = Call(
        Bus(),
        {
            "type": "http",
            "method": "GET",
            "root_path": "/api/sub/bus",
            "app_root_path": "/api",
            "path": "/sub/bus/",
        },
    )
    page.tell("http.request", body=b"")
    await page.end()

    assert b"/api/sub/bus/mirant.js" in page.body
