"""Advice on the wire (Bayeux 1.0, section 5.6)."""

import msgspec
import pytest

from mirant.bayeux.advice import GO_AWAY, HANDSHAKE_NOW, TRY_LATER, Advice, RequestAdvice


@pytest.mark.parametrize(
    ("advice", "wire"),
    [
        (HANDSHAKE_NOW, b'{"reconnect":"handshake","interval":0}'),
        (GO_AWAY, b'{"reconnect":"none"}'),
        (TRY_LATER, b'{"reconnect":"handshake","interval":10000}'),
        (
            Advice(reconnect="retry", timeout=30_000, multiple_clients=True, max_interval=10_000),
            b'{"reconnect":"retry","timeout":30000,"multiple-clients":true,"maxInterval":10000}',
        ),
        (Advice(), b"{}"),
    ],
)
def test_fields_have_the_names_of_the_protocol_and_none_is_not_sent(advice: Advice, wire: bytes) -> None:
    assert msgspec.json.encode(advice) == wire


@pytest.mark.parametrize("raw", [b'{"timeout":"0"}', b'{"interval":[]}', b"[]", b"7"])
def test_a_client_advises_in_numbers(raw: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=RequestAdvice)


def test_other_fields_of_a_clients_advice_are_ignored() -> None:
    found = msgspec.json.decode(b'{"timeout":0,"reconnect":"none"}', type=RequestAdvice)
    assert found == RequestAdvice(timeout=0)
