"""Where a token is found, and what is removed from a message before others see it."""

import json
from typing import Any

from msgspec import Raw

from mirant.bayeux.messages import Message
from mirant.bus.request import Request
from mirant.identity.credentials import Credentials
from mirant.identity.token_invalid import Reason

EVERYWHERE = ("header:Authorization", "cookie:session", "query:token", "ext.auth.token")


def message(**ext: Any) -> Message:
    return Message(ext={name: Raw(json.dumps(value).encode()) for name, value in ext.items()})


def test_a_place_in_the_message_comes_first_whatever_the_order() -> None:
    request = Request(headers={"authorization": "Bearer b", "cookie": "session=c"}, query="token=d")

    found = Credentials(EVERYWHERE).of(message(auth={"token": "a"}), request)
    assert found is not None
    assert (found.token, found.deliberate) == ("a", True)

    found = Credentials(EVERYWHERE).of(message(), request)
    assert found is not None
    assert (found.token, found.deliberate) == ("b", False)


def test_another_scheme_of_authorization_is_not_a_token() -> None:
    request = Request(headers={"authorization": "Basic dXNlcg=="}, query="token=d%2B")

    found = Credentials(EVERYWHERE).of(message(), request)
    assert found is not None
    assert found.token == "d+"


def test_the_first_place_decides_even_if_it_is_spoilt() -> None:
    request = Request(headers={"cookie": "session=a; session=b"}, query="token=d")

    found = Credentials(("cookie:session", "query:token")).of(message(), request)
    assert found is not None
    assert found.token == ""
    assert found.fault is not None
    assert found.fault.reason is Reason.AMBIGUOUS


def test_a_cookie_that_came_twice_with_the_same_value_is_one() -> None:
    request = Request(headers={"cookie": 'session="a"; other; session=a'})

    found = Credentials(("cookie:session",)).of(message(), request)
    assert found is not None
    assert (found.token, found.fault) == ("a", None)


def test_what_is_not_a_text_is_a_fault() -> None:
    found = Credentials(("ext.token",)).of(message(token={"a": 1}), Request())
    assert found is not None
    assert found.fault is not None
    assert found.fault.reason is Reason.MALFORMED


def test_without_a_token_there_is_nothing() -> None:
    assert Credentials(EVERYWHERE).of(message(auth={}, token="x"), Request()) is None


def test_fields_of_ext_that_hold_tokens_are_removed_and_the_others_stay() -> None:
    forwarded = message(auth={"token": "a"}, mine=1)
    Credentials(EVERYWHERE).conceal(forwarded)
    assert forwarded.ext == {"mine": Raw(b"1")}

    forwarded = message(auth={"token": "a"})
    Credentials(EVERYWHERE).conceal(forwarded)
    assert forwarded.ext is None
