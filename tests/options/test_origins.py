"""Origins and names of hosts, in their one form, and what is neither."""

from __future__ import annotations

import re

import pytest

from mirant.options.origins import (
    ANONYMOUS,
    HostPattern,
    OriginPattern,
    WebOrigin,
    read_authority,
    read_host,
    read_origin,
)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Example.org", WebOrigin("https", "example.org", 443)),
        ("HTTP://example.org.:8080", WebOrigin("http", "example.org", 8080)),
        ("http://[2001:DB8::0:1]", WebOrigin("http", "[2001:db8::1]", 80)),
        ("capacitor://localhost", WebOrigin("capacitor", "localhost", None)),
        ("file://", WebOrigin("file", "", None)),
        ("ws://example.org", WebOrigin("ws", "example.org", 80)),
        ("wss://example.org", WebOrigin("wss", "example.org", 443)),
        ("https://example.org:65535", WebOrigin("https", "example.org", 65_535)),
    ],
)
def test_an_origin_has_one_form(text: str, origin: WebOrigin) -> None:
    assert read_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "https://",
        "https://:80",
        "https://a/",
        "https://a b",
        "https://a:99999",
        "https://a:65536",
        "app://[:::]",
        "https://a:0",
        "https://a:-1",
        "https://a@b",
        "https://[::1",
        "https://[::g]",
        "https://[1.2.3.4]",
        "https://a?b",
        "https://a#b",
        "https://a, https://b",
        "//a",
        "1http://a",
        "https:/a",
        "https://\ud800",
    ],
)
def test_what_is_not_an_origin(text: str) -> None:
    assert read_origin(text) is None


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("a", ("a", None)),
        ("A.:80", ("a", 80)),
        ("a:", ("a", None)),
        ("[::1]:8080", ("[::1]", 8080)),
        ("", None),
        (":80", None),
        ("a:b", None),
        ("a:99999", None),
        ("a,b", None),
        ("a/b", None),
        ("user@a", None),
        ("::1", None),
        ("[::1]x", None),
        ("x" * 300, None),
    ],
)
def test_a_host_header(text: str, authority: tuple[str, int | None] | None) -> None:
    assert read_authority(text) == authority


def test_a_name_in_another_script_is_that_which_browsers_send() -> None:
    assert read_host("BÜCHER.example") == "xn--bcher-kva.example"
    assert read_host("\ud800") is None


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "a",
        "https://",
        "https://*",
        "https://*.",
        "https://a*.b",
        "https://*.*.b",
        "https://*b.c",
        "https://.b.c",
        "https://a/",
        "*://a",
    ],
)
def test_what_is_not_a_pattern_of_origins(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        OriginPattern(text)


@pytest.mark.parametrize(
    ("pattern", "host", "admitted"),
    [
        ("example.org", "example.org", True),
        ("Example.org.", "example.org", True),
        ("example.org", "a.example.org", False),
        ("*.example.org", "a.example.org", True),
        ("*.example.org", "example.org", False),
        ("*.example.org", "evilexample.org", False),
        ("192.0.2.1", "192.0.2.1", True),
        ("[0::1]", "[::1]", True),
        ("*", "anything", True),
    ],
)
def test_patterns_of_names(pattern: str, host: str, *, admitted: bool) -> None:
    assert HostPattern(pattern).admits(host) is admitted


@pytest.mark.parametrize(
    "text", ["a:80", "https://a", "a.*", "**", "*a", ".a", "*..a", "*.*.a", "a b", "::1"]
)
def test_what_is_not_a_pattern_of_names(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        HostPattern(text)


@pytest.mark.parametrize(
    ("pattern", "origin", "admitted"),
    [
        ("https://example.org", "https://EXAMPLE.org:443", True),
        ("https://example.org", "http://example.org:443", False),
        ("https://example.org", "https://example.org:444", False),
        ("https://example.org", "https://a.example.org", False),
        ("https://example.org", "https://other.org", False),
        ("http://localhost:*", "http://localhost:3000", True),
        ("http://localhost:*", "http://localhost", True),
        ("http://localhost:*", "https://localhost:3000", False),
        ("http://localhost:*", "http://elsewhere:3000", False),
        ("https://*.example.org", "https://a.example.org", True),
        ("https://*.example.org", "https://a.b.example.org", True),
        ("https://*.example.org", "https://example.org", False),
        ("https://*.example.org", "https://evilexample.org", False),
        ("https://*.example.org", "https://a.example.org:8443", False),
        ("https://*.example.org:*", "https://a.example.org:8443", True),
        ("https://*.example.org:8443", "https://a.example.org:8443", True),
        ("capacitor://*", "capacitor://localhost", True),
        ("capacitor://*", "ionic://localhost", False),
        ("file://", "file://", True),
    ],
)
def test_patterns_of_origins(pattern: str, origin: str, *, admitted: bool) -> None:
    found = read_origin(origin)
    assert found is not None
    assert OriginPattern(pattern).admits(found) is admitted


def test_under_which_names_a_page_is_admitted_without_credentials() -> None:
    assert frozenset({"*", "null"}) == ANONYMOUS
