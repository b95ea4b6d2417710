"""The cookie that identifies a browser."""

import pytest

from mirant.bus.browsers import Browsers
from mirant.bus.request import Request

BROWSERS = Browsers(b"secret")


def test_a_browser_is_recognised_by_the_value_it_was_given() -> None:
    value = BROWSERS.issue()
    assert BROWSERS.recognise(value) is not None
    assert BROWSERS.recognise(value) == BROWSERS.recognise(value)


def test_no_two_browsers_are_given_the_same_value() -> None:
    assert len({BROWSERS.recognise(BROWSERS.issue()) for _ in range(100)}) == 100


def test_a_server_that_knows_the_secret_recognises_it_too() -> None:
    assert Browsers(b"secret").recognise(BROWSERS.issue()) is not None


def test_without_the_secret_no_value_is_recognised() -> None:
    assert Browsers(b"other").recognise(BROWSERS.issue()) is None
    assert Browsers().recognise(BROWSERS.issue()) is None


@pytest.mark.parametrize("value", [None, "", "x", "a" * 56, "é" * 56, "0" * 10_000])
def test_a_value_that_this_server_did_not_give_out_is_not_recognised(value: str | None) -> None:
    assert BROWSERS.recognise(value) is None


def test_a_value_with_one_character_changed_is_not_recognised() -> None:
    value = BROWSERS.issue()
    for index, character in enumerate(value):
        changed = value[:index] + ("0" if character != "0" else "1") + value[index + 1 :]
        assert BROWSERS.recognise(changed) is None


@pytest.mark.parametrize("header", ["{}", "a=b; {}", "{}; a=b", 'bad"=;;=; {} ;x', "a=BAYEUX_BROWSER=1; {}"])
def test_the_cookie_is_found_among_others(header: str) -> None:
    value = BROWSERS.issue()
    request = Request({"cookie": header.format(f"BAYEUX_BROWSER={value}")})
    assert BROWSERS.of(request) == BROWSERS.recognise(value)


@pytest.mark.parametrize("header", ["", "a=b", "BAYEUX_BROWSER", "XBAYEUX_BROWSER={}", "bayeux_browser={}"])
def test_without_the_cookie_there_is_no_browser(header: str) -> None:
    assert BROWSERS.of(Request({"cookie": header.format(BROWSERS.issue())})) is None
    assert BROWSERS.of(Request()) is None


def test_a_value_in_quotes_is_the_same() -> None:
    value = BROWSERS.issue()
    request = Request({"cookie": f'BAYEUX_BROWSER="{value}"'})
    assert BROWSERS.of(request) == BROWSERS.recognise(value)


def test_a_value_is_an_id_of_12_bytes_and_a_signature_of_16() -> None:
    value = BROWSERS.issue()
    assert len(bytes.fromhex(value)) == 28
    assert BROWSERS.recognise(value) == value[:24]


@pytest.mark.parametrize("more", ["0", "00", " "])
def test_a_value_that_is_too_long_or_too_short_is_not_recognised(more: str) -> None:
    value = BROWSERS.issue()
    assert BROWSERS.recognise(value + more) is None
    assert BROWSERS.recognise(value[: -len(more)]) is None
    assert BROWSERS.recognise(value[:24]) is None
