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


# --- Several buses on one host, which share the cookie ---


def value_after(*buses: Browsers) -> str:
    """Return the cookie after a handshake with each of *buses*, one after the other."""
    value = ""
    for bus in buses:
        value = bus.issue(Request({"cookie": f"BAYEUX_BROWSER={value}"}))
    return value


def sent(*values: str, name: str = "BAYEUX_BROWSER") -> Request:
    return Request({"cookie": "; ".join(f"{name}={value}" for value in values)})


def test_two_buses_on_one_host_find_their_own_in_one_cookie() -> None:
    one, other = Browsers(), Browsers()
    value = value_after(one, other)
    assert one.of(sent(value)) is not None
    assert other.of(sent(value)) is not None
    assert one.of(sent(value)) != other.of(sent(value))


def test_four_buses_and_a_restart_of_the_first() -> None:
    buses = [Browsers() for _ in range(4)]
    value = value_after(*buses)
    assert all(bus.of(sent(value)) for bus in buses)
    value = Browsers().issue(sent(value))
    assert [bus.of(sent(value)) is not None for bus in buses] == [False, True, True, True]


def test_a_cookie_does_not_grow_with_restarts() -> None:
    value = value_after(*[Browsers() for _ in range(20)])
    assert len(value) == 56 + 3 * 39


@pytest.mark.parametrize(
    "value", ["planted", "a.b.c.d.e.f", "." * 1_000, "é" * 56, "0" * 55, "%", '"', "x" * 9_000]
)
def test_what_is_not_a_token_is_not_kept(value: str) -> None:
    assert len(BROWSERS.issue(sent(value))) == 56


def test_of_two_cookies_of_the_name_either_is_recognised() -> None:
    """A former server may have set one for another path, or another domain."""
    ours, others = BROWSERS.issue(), Browsers().issue()
    assert BROWSERS.of(sent(others, ours)) == BROWSERS.of(sent(ours, others)) == BROWSERS.of(sent(ours))
    assert BROWSERS.of(sent("planted", "", ours)) == ours[:24]


def test_a_request_with_two_of_ours_is_from_both() -> None:
    first, second, third = BROWSERS.issue(), Browsers(b"secret").issue(), Browsers(b"secret").issue()
    for value in (first, second):
        assert BROWSERS.is_from(sent(first, second), value[:24])
    assert not BROWSERS.is_from(sent(first, second), third[:24])


def test_a_thousand_cookies_cost_no_more_than_sixteen() -> None:
    ours = BROWSERS.issue()
    assert BROWSERS.of(sent(*["0" * 56] * 15, ours)) == ours[:24]
    assert BROWSERS.of(sent(*["0" * 56] * 16, ours)) is None


def test_what_cannot_be_a_token_does_not_count() -> None:
    """Other servers have a cookie of the name too, and theirs may come first."""
    ours = BROWSERS.issue()
    assert BROWSERS.of(sent(*["1a2b3c4d5e6f"] * 100, ours)) == ours[:24]


# --- What options say ---

OLD, NEW = "the former secret, of 32 characters", "the present secret, of 32 characters"


def configured(*known: str, name: str = "BAYEUX_BROWSER", secret: bytes | None = None) -> Browsers:
    browsers = Browsers(secret)
    browsers.configure(name, known)
    return browsers


def test_two_processes_that_share_a_secret_know_each_others_browsers() -> None:
    value = configured(NEW).issue()
    assert configured(NEW).of(sent(value)) == value[:24]
    assert configured(OLD).of(sent(value)) is None


def test_a_former_secret_is_still_recognised_and_its_cookies_are_signed_anew() -> None:
    value = configured(OLD).issue()
    rotated = configured(NEW, OLD)
    assert rotated.of(sent(value)) == value[:24]
    renewed = rotated.renewed(sent(value), value[:24])
    assert renewed is not None
    assert configured(NEW).of(sent(renewed)) == value[:24]
    assert rotated.renewed(sent(renewed), value[:24]) is None


def test_the_secret_of_the_code_signs_and_those_of_the_file_are_recognised() -> None:
    both = configured(NEW, secret=b"secret")
    assert BROWSERS.of(sent(both.issue())) is not None
    assert both.of(sent(configured(NEW).issue())) is not None


def test_without_a_secret_the_first_stays_when_the_files_are_read_again() -> None:
    browsers = Browsers()
    value = browsers.issue()
    browsers.configure("BAYEUX_BROWSER", ())
    assert browsers.of(sent(value)) == value[:24]


def test_a_cookie_of_another_name_is_another_matter() -> None:
    browsers = configured(NEW, name="bus-2")
    value = browsers.issue()
    assert browsers.of(sent(value, name="bus-2")) == value[:24]
    assert browsers.of(sent(value)) is None


def test_a_handshake_prolongs_a_cookie_that_lasts() -> None:
    value = BROWSERS.issue()
    assert BROWSERS.prolonged(sent(value), value[:24]) == value


# --- Moments and families ---


def test_a_later_moment_has_a_higher_number() -> None:
    browsers = Browsers()
    moments = [browsers.moment() for _ in range(3)]

    assert moments == sorted(set(moments))


def family(value: str) -> str:
    """Return the part of the cookie *value* that is its family."""
    return value[:16]


def test_two_handshakes_from_one_address_at_once_are_given_one_family() -> None:
    browsers = Browsers()
    one, other = (browsers.issue(Request({}, "192.0.2.1"), 1.0) for _ in range(2))

    assert family(one) == family(other)
    assert one != other
    assert family(browsers.issue(Request({}, "192.0.2.2"), 1.0)) != family(one)


def test_a_handshake_after_one_was_presented_is_given_another_family() -> None:
    browsers = Browsers()
    one = browsers.issue(Request({}, "192.0.2.1"), 1.0)
    assert browsers.of(sent(one)) is not None

    assert family(browsers.issue(Request({}, "192.0.2.1"), 1.0)) != family(one)
