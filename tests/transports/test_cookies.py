"""The header that gives a client its browser's identity: what browsers get, and what old parsers can read."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest

from mirant.bus.carrier import Outgoing
from mirant.bus.request import Request
from mirant.options.settings import Settings
from mirant.testing import World
from mirant.transports.cookies import is_browser, set_cookie
from mirant.transports.long_polling import Exchange
from mirant.transports.response import Response

FIREFOX = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
WIDGET = {"partitioned": True, "same_site": "none"}


def cookie(request: Request, **options: Any) -> str:
    """Return what follows the value in the header that *request* is answered with."""
    origins = options.pop("allow_origins", ())
    settings = Settings(allow_origins=origins, **{f"cookie_{name}": value for name, value in options.items()})
    name, _, rest = set_cookie(settings, "value", request).partition("=value; ")
    assert name == settings.cookie_name
    return rest


@pytest.mark.parametrize(
    ("origins", "secure", "scope"),
    [
        ((), False, "SameSite=Lax"),
        ((), True, "SameSite=Lax; Secure"),
        (("https://example.org",), False, "SameSite=Lax"),
        (("https://example.org",), True, "SameSite=None; Secure"),
    ],
)
def test_a_cookie_goes_to_other_sites_pages_only_where_they_are_let_in_and_over_tls(
    origins: tuple[str, ...], scope: str, *, secure: bool
) -> None:
    answers: list[Response] = []

    def answer(response: Response) -> bool:
        answers.append(response)
        return True

    exchange = Exchange(World(allow_origins=origins).core, Request(FIREFOX, secure=secure), answer)
    assert exchange.send(Outgoing(opens=True))
    assert dict(answers[0].headers)["set-cookie"].partition("; Path=/; HttpOnly; ")[2] == scope


@pytest.mark.parametrize(
    "headers",
    [
        FIREFOX,
        {"user-agent": "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-mode": "cors", "user-agent": "MyApp/1.0"},
        {"sec-fetch-dest": "empty"},
    ],
)
def test_what_a_browser_sends(headers: dict[str, str]) -> None:
    assert is_browser(Request(headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"user-agent": ""},
        {"user-agent": "EventMachine HttpClient"},
        {"user-agent": "Ruby"},
        {"user-agent": "Java/17.0.2"},
        {"user-agent": "Jetty/12.0.9"},
        {"user-agent": "python-requests/2.32", "origin": "https://example.org"},
        {"user-agent": "curl/8.0 (like Mozilla/5.0)"},
        {"user-agent": "libwww-perl/6.72"},
    ],
)
def test_who_is_not_a_browser_gets_no_younger_attribute_than_rfc_6265_has(
    headers: dict[str, str],
) -> None:
    request = Request(headers, secure=True)
    assert not is_browser(request)
    assert cookie(request, max_age=60.0, **WIDGET) == "Path=/; HttpOnly; Secure"
    assert cookie(Request(headers)) == "Path=/; HttpOnly"


@pytest.mark.parametrize(
    ("options", "secure", "attributes"),
    [
        ({"path": "/chat"}, False, "Path=/chat; HttpOnly; SameSite=Lax"),
        ({"domain": "example.org"}, False, "Path=/; Domain=example.org; HttpOnly; SameSite=Lax"),
        ({"secure": "always"}, False, "Path=/; HttpOnly; SameSite=Lax; Secure"),
        ({"secure": "never"}, True, "Path=/; HttpOnly; SameSite=Lax"),
        ({"same_site": "strict"}, True, "Path=/; HttpOnly; SameSite=Strict; Secure"),
        ({"same_site": "none"}, True, "Path=/; HttpOnly; SameSite=None; Secure"),
        ({"partitioned": True}, True, "Path=/; HttpOnly; SameSite=None; Secure; Partitioned"),
        ({"partitioned": True}, False, "Path=/; HttpOnly; SameSite=Lax"),
        ({"max_age": 86_400.0}, False, "Path=/; HttpOnly; SameSite=Lax; Max-Age=86400"),
        ({"max_age": 0.25}, False, "Path=/; HttpOnly; SameSite=Lax; Max-Age=1"),
        ({"same_site": "none"}, False, "Path=/; HttpOnly; SameSite=None; Secure"),
        ({"name": "__Host-bus"}, False, "Path=/; HttpOnly; SameSite=Lax; Secure"),
        ({"name": "__host-bus"}, False, "Path=/; HttpOnly; SameSite=Lax; Secure"),
        ({"name": "__Http-bus"}, False, "Path=/; HttpOnly; SameSite=Lax; Secure"),
        ({"name": "__Secure-bus", "path": "/a"}, False, "Path=/a; HttpOnly; SameSite=Lax; Secure"),
    ],
)
def test_the_options_say_what_a_browser_gets(
    options: dict[str, Any], attributes: str, *, secure: bool
) -> None:
    assert cookie(Request(FIREFOX, secure=secure), **options) == attributes


def test_pythons_own_parser_reads_the_cookie() -> None:
    request = Request(secure=True)
    header = set_cookie(Settings(), World().core.browsers.issue(request), request)
    assert len(SimpleCookie(header)["BAYEUX_BROWSER"].value) == 56
