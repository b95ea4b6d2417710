"""What an application may choose."""

from mirant.client.options import ClientOptions


def test_the_ack_extension_is_asked_for_beside_the_other_fields() -> None:
    fields = {"ext": {"token": "t"}, "room": 1}
    options = ClientOptions(handshake_fields=fields, ack=True)

    assert options.handshake() == {"ext": {"token": "t", "ack": True}, "room": 1}
    assert fields == {"ext": {"token": "t"}, "room": 1}
    assert ClientOptions().handshake() == {}
