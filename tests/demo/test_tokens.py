"""Tokens of the chat's members: who they are for, and until when."""

import pytest

from mirant.bayeux.channels import Channel
from mirant.demo.tokens import Issuer
from tests.identity.signing import with_secret

NOW = 1_700_000_000.0


def test_a_token_says_who_its_bearer_is() -> None:
    issuer = Issuer()
    assert issuer.user_of(issuer.issue("u1")) == "u1"


def test_users_are_drawn_by_lot_and_fit_into_a_channel() -> None:
    users = {Issuer().new_user() for _ in range(100)}
    assert len(users) == 100
    for user in users:
        assert Channel.parse(f"/users/{user}/inbox").segments[1] == user


def test_a_token_runs_out() -> None:
    now = NOW
    issuer = Issuer(lifetime=60, clock=lambda: now)
    token = issuer.issue("u1")
    now += 59
    assert issuer.user_of(token) == "u1"
    now += 1
    assert issuer.user_of(token) is None


def test_what_was_issued_elsewhere_says_nothing() -> None:
    assert Issuer().user_of(Issuer().issue("u1")) is None


@pytest.mark.parametrize("claims", [{"sub": "u1"}, {"exp": NOW + 60}, {"sub": 1, "exp": NOW + 60}, []])
def test_what_is_no_token_of_ours_says_nothing(claims: object) -> None:
    issuer = Issuer(clock=lambda: NOW)
    assert issuer.user_of(with_secret(claims, secret=issuer.secret)) is None


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "\ud800", "x" * 100_000, "a.b.c.d.e"])
def test_nonsense_says_nothing(token: str) -> None:
    assert Issuer().user_of(token) is None
