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


@pytest.mark.parametrize("site", ["same-origin, cross-site", "cross-site", "same-site", "none", ""])
def test_what_the_browser_says_of_the_site_counts_where_a_proxy_rewrote_the_host(site: str) -> None:
    """No page can set that header."""
    headers = {"origin": "https://public.example", "host": "backend:8080"}
    assert Origins([]).admits(Request({**headers, "sec-fetch-site": "same-origin"}))
    assert not Origins([]).admits(Request({**headers, "sec-fetch-site": site}))


@pytest.mark.parametrize(
    ("host", "origin", "own"),
    [
        ("a.example:443", "https://a.example", True),
        ("a.example:80", "http://a.example", True),
        ("a.example", "https://a.example:443", True),
        ("a.example", "http://a.example:80", True),
        ("A.Example.", "https://a.example", True),
        ("a.example", "https://a.example.", True),
        ("[::1]:443", "https://[::1]", True),
        ("[::1]:8080", "http://[0:0::1]:8080", True),
        ("[::1]", "http://[::1]", True),
        ("xn--bcher-kva.example", "https://xn--bcher-kva.example", True),
        ("a.example:80", "https://a.example", False),
        ("a.example:443", "http://a.example", False),
        ("a.example", "https://a.example:80", False),
        ("a.example:8080", "http://a.example", False),
        ("a.example", "capacitor://a.example", False),
        ("a.example", "https://b.a.example", False),
        ("a.example:99999", "https://a.example:99999", True),
        ("a.example:x", "https://a.example", False),
        ("", "https://", False),
        ("[::1", "https://[::1]", False),
        ("a.example, b.example", "https://a.example", False),
    ],
)
def test_a_default_port_and_the_spelling_make_no_difference(host: str, origin: str, *, own: bool) -> None:
    assert Origins([]).admits(Request({"host": host, "origin": origin})) is own


@pytest.mark.parametrize(
    ("forwarded", "by_proxy", "own"),
    [
        ("public.example", True, True),
        ("public.example:443, inner", True, True),
        ("inner, public.example", True, False),
        ("public.example:8443", True, False),
        ("public.example", False, False),
    ],
)
def test_the_host_that_a_trusted_proxy_forwards_is_ours(forwarded: str, *, by_proxy: bool, own: bool) -> None:
    headers = {"host": "backend:8080", "origin": "https://public.example", "x-forwarded-host": forwarded}
    assert Origins([]).admits(Request(headers, by_proxy=by_proxy)) is own


@pytest.mark.parametrize(
    ("referer", "admitted"),
    [
        ("https://stranger.example/page", False),
        ("https://stranger.example", False),
        ("https://bus.example:8080@stranger.example/", False),
        ("http://bus.example:8080/chat?x=1", True),
        ("https://friend.example/", True),
        ("", True),
        ("about:blank", True),
        ("my-program", True),
    ],
)
def test_a_foreign_referer_is_judged_where_nothing_else_is_said(referer: str, *, admitted: bool) -> None:
    """Older browsers send no Sec-Fetch-Site, and no browser sends it to a page on plain HTTP."""
    request = Request({**HOST, "referer": referer})
    assert Origins(["https://friend.example"]).admits(request) is admitted


# --- Patterns, other schemes, everybody, a function ---


@pytest.mark.parametrize(
    ("allowed", "origin", "admitted"),
    [
        ("https://*.example.org", "https://a.example.org", True),
        ("https://*.example.org", "https://a.b.example.org:443", True),
        ("https://*.example.org", "https://A.EXAMPLE.org.", True),
        ("https://*.example.org", "https://example.org", False),
        ("https://*.example.org", "https://evilexample.org", False),
        ("https://*.example.org", "https://a.example.org.evil", False),
        ("https://*.example.org", "http://a.example.org", False),
        ("https://*.example.org", "https://a.example.org:8443", False),
        ("https://*.example.org", "https://x@a.example.org", False),
        ("https://*.example.org", "https://evil/.example.org", False),
        ("https://*.example.org", "https://evil\\.example.org", False),
        ("https://*.example.org:8443", "https://a.example.org:8443", True),
        ("http://localhost:*", "http://localhost:5173", True),
        ("http://localhost:*", "http://localhost", True),
        ("http://localhost:*", "http://localhost.evil:80", False),
        ("https://example.org:443", "https://example.org", True),
        ("https://example.org", "https://example.org:443", True),
        ("https://bücher.example", "https://xn--bcher-kva.example", True),
        ("capacitor://localhost", "capacitor://localhost", True),
        ("capacitor://localhost", "ionic://localhost", False),
        ("capacitor://localhost", "http://localhost", False),
        ("ionic://localhost", "ionic://localhost", True),
        ("tauri://localhost", "tauri://localhost", True),
        ("app://.", "app://.", True),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop", True),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://other", False),
        ("moz-extension://*", "moz-extension://53c3b2a4", True),
        ("file://", "file://", True),
        ("null", "null", True),
        ("null", "https://a.example", False),
        ("null", "", False),
        ("https://example.org", "null", False),
        ("*", "https://a.example", True),
        ("*", "null", True),
        ("*", "capacitor://localhost", True),
    ],
)
def test_what_the_option_may_name(allowed: str, origin: str, *, admitted: bool) -> None:
    assert Origins([allowed]).admits(Request({**HOST, "origin": origin})) is admitted


def test_a_page_that_is_admitted_by_its_name_may_use_credentials() -> None:
    origins = Origins(["*", "https://*.example.org", "capacitor://localhost"])
    for origin in ("https://a.example.org", "capacitor://localhost"):
        request = Request({**HOST, "origin": origin})
        assert dict(origins.headers(request)) == {
            "access-control-allow-origin": origin,
            "access-control-allow-credentials": "true",
            "vary": "origin",
        }
        assert not origins.is_anonymous(request)


@pytest.mark.parametrize(
    ("allowed", "origin", "told"),
    [("*", "https://a.example", "*"), ("*", "null", "*"), ("null", "null", "null")],
)
def test_a_page_that_anybody_can_have_may_not(allowed: str, origin: str, told: str) -> None:
    request = Request({**HOST, "origin": origin})
    origins = Origins([allowed])
    assert dict(origins.headers(request)) == {"access-control-allow-origin": told, "vary": "origin"}
    assert dict(origins.preflight(request))["access-control-allow-origin"] == told
    assert "access-control-allow-credentials" not in dict(origins.preflight(request))
    assert origins.is_anonymous(request)


def test_the_bus_own_pages_and_programs_are_not_anonymous() -> None:
    for headers in ({}, {"origin": "http://bus.example:8080"}, {"sec-fetch-site": "same-origin"}):
        assert not Origins(["*"]).is_anonymous(Request({**HOST, **headers}))
    assert Origins(["*"]).is_anonymous(Request({**HOST, "sec-fetch-site": "cross-site"}))


def test_a_function_is_asked_about_origins_that_the_option_does_not_name() -> None:
    asked = []

    def admit(origin: str) -> bool:
        asked.append(origin)
        return origin.endswith(".example")

    origins = Origins(["https://friend.example"], admit)
    for origin, admitted in (("https://a.example", True), ("https://a.evil", False), ("null", False)):
        assert origins.admits(Request({**HOST, "origin": origin})) is admitted
    assert origins.admits(Request({**HOST, "origin": "https://friend.example"}))
    assert origins.admits(Request({**HOST, "origin": "http://bus.example:8080"}))
    assert asked == ["https://a.example", "https://a.evil"]


def test_a_strangers_preflight_names_no_origin_of_ours() -> None:
    request = Request({**HOST, "origin": "http://bus.example:8080"})
    assert "access-control-allow-origin" not in dict(Origins([]).preflight(request))


def test_a_cache_is_told_where_the_answer_depends_on_the_origin() -> None:
    """It may keep a page that was asked for without an origin, and give it to a page of another."""
    vary = (("vary", "origin"),)
    assert Origins(()).varying == ()
    assert Origins(("https://*.example.org",)).varying == vary
    assert Origins(("*",)).varying == Origins(("null",)).varying == vary
    assert Origins((), lambda _origin: True).varying == vary
