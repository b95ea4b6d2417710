"""Which pages may talk to a bus, and what their browsers are told."""

import pytest

from mirant.bus.request import Request
from mirant.policy.origin import Origins

HOST = {"host": "bus.example:8080"}


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        ({}, True),
        ({"origin": "http://bus.example:8080"}, True),
        ({"origin": "https://BUS.example:8080"}, True),
        ({"origin": "https://friend.example"}, True),
        ({"origin": "https://FRIEND.example"}, True),
        ({"origin": "http://friend.example"}, False),
        ({"origin": "https://friend.example:444"}, False),
        ({"origin": "https://friend.example.evil"}, False),
        ({"origin": "http://bus.example"}, False),
        ({"origin": "http://user@bus.example:8080"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "http://["}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
    ],
)
def test_who_is_let_in(headers: dict[str, str], *, admitted: bool) -> None:
    assert Origins(["https://friend.example"]).admits(Request({**HOST, **headers})) is admitted


def test_without_a_host_no_origin_is_the_bus_own() -> None:
    assert not Origins([]).admits(Request({"origin": "null"}))
    assert not Origins([]).admits(Request({"origin": "http://a.example"}))


def test_a_foreign_page_may_read_what_it_may_ask() -> None:
    request = Request({**HOST, "origin": "https://friend.example"})

    assert dict(Origins(["https://friend.example"]).headers(request)) == {
        "access-control-allow-origin": "https://friend.example",
        "access-control-allow-credentials": "true",
        "vary": "origin",
    }


def test_the_bus_own_pages_need_no_leave() -> None:
    assert Origins([]).headers(Request({**HOST, "origin": "http://bus.example:8080"})) == ()
    assert Origins([]).headers(Request(HOST)) == ()


def test_a_preflight_allows_what_is_asked() -> None:
    request = Request(
        {**HOST, "origin": "https://friend.example", "access-control-request-headers": "content-type"}
    )
    headers = dict(Origins(["https://friend.example"]).preflight(request))

    assert headers["access-control-allow-origin"] == "https://friend.example"
    assert headers["access-control-allow-headers"] == "content-type"
    assert "POST" in headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    ("referer", "admitted"),
    [
        ("https://friend.example/page?x=https://stranger.example/", True),
        ("https://friend.example/", True),
        ("http://bus.example:8080/chat", True),
        ("https://stranger.example/https://friend.example/", False),
        ("https://friend.example.evil/", False),
        ("http://friend.example/", False),
        ("https://friend.example@stranger.example/", False),
        ("", False),
        ("about:blank", False),
        ("friend.example", False),
        ("://", False),
    ],
)
def test_a_script_of_another_site_is_let_in_by_its_referer(referer: str, *, admitted: bool) -> None:
    """Script elements send no Origin."""
    request = Request({**HOST, "sec-fetch-site": "cross-site", "referer": referer})
    assert Origins(["https://friend.example"]).admits(request) is admitted


def test_an_origin_counts_more_than_a_referer() -> None:
    headers = {"origin": "https://stranger.example", "referer": "https://friend.example/"}
    assert not Origins(["https://friend.example"]).admits(Request({**HOST, **headers}))


def test_an_origin_counts_more_than_what_the_browser_says_of_the_site() -> None:
    headers = {"origin": "https://stranger.example", "sec-fetch-site": "same-origin"}
    assert not Origins([]).admits(Request({**HOST, **headers}))


def test_a_strangers_preflight_names_no_origin_of_ours() -> None:
    request = Request({**HOST, "origin": "http://bus.example:8080"})
    assert "access-control-allow-origin" not in dict(Origins([]).preflight(request))
