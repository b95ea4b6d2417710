"""Reasons for which a token is refused: all in the log, few to the client."""

import pytest

from mirant.identity.token_invalid import Reason, TokenInvalid

TOLD = {Reason.EXPIRED: "token_expired", Reason.KEYS_UNAVAILABLE: "keys_unavailable"}


@pytest.mark.parametrize("reason", Reason)
def test_a_client_learns_only_what_it_can_act_on(reason: Reason) -> None:
    assert TokenInvalid(reason, "a detail").told == TOLD.get(reason, "token_invalid")


@pytest.mark.parametrize("reason", Reason)
def test_only_missing_keys_are_a_reason_to_try_again(reason: Reason) -> None:
    assert TokenInvalid(reason).temporary is (reason is Reason.KEYS_UNAVAILABLE)


def test_the_log_gets_the_reason_and_the_detail() -> None:
    assert str(TokenInvalid(Reason.AUDIENCE, "it is for another audience")) == (
        "audience: it is for another audience"
    )
    assert str(TokenInvalid(Reason.SIGNATURE)) == "signature"
