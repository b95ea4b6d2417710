"""What the application sends: its values as deliveries, its channels, and the filters on the way."""

import json
from typing import Any

import msgspec
import pytest

from mirant.bayeux.channels import Channel, ChannelInvalid
from mirant.bus.contracts import Guard
from mirant.extensions.binary import Binary
from mirant.services.outgoing import broadcast_channel, deliverable_channel, delivery_of, filtered
from mirant.testing import World
from tests.policy.rulebooks import rulebook

A = Channel.parse("/a")

#: A list within itself.
ENDLESS: list[object] = []
ENDLESS.append(ENDLESS)


def guard(filters: str) -> Guard:
    """Return a guard that runs *filters*, as TOML, on /a."""
    return World().enforce(rulebook(f'[[channel]]\nmatch = "/a"\nfilters = {filters}\n'))


def test_a_value_is_encoded_and_further_fields_are_beside_it() -> None:
    assert delivery_of(A, {"x": 1}).payload == b'{"channel":"/a","data":{"x":1}}'
    assert json.loads(delivery_of(A, None, id="7").payload) == {"channel": "/a", "data": None, "id": "7"}


@pytest.mark.parametrize("data", [b"ab", bytearray(b"ab"), memoryview(b"ab"), Binary(b"ab")])
def test_bytes_become_binary_data(data: object) -> None:
    message: dict[str, Any] = json.loads(delivery_of(A, data).payload)

    assert message["ext"] == {"binary": {}}
    assert Binary.from_wire(json.dumps(message["data"]).encode()).data == b"ab"


@pytest.mark.parametrize("data", [object(), ENDLESS, {"a": object()}])
def test_a_value_without_a_json_form_is_the_applications_mistake(data: object) -> None:
    with pytest.raises(TypeError):
        delivery_of(A, data)


def test_filters_run_on_what_the_application_publishes() -> None:
    assert filtered(guard('["no-markup"]'), A, "<") == msgspec.Raw(b'"&lt;"')
    data = {"x": 1}
    assert filtered(guard("[]"), A, data) is data


def test_a_filter_may_drop_it_and_bytes_are_not_for_filters() -> None:
    with pytest.raises(Exception, match="too_large"):
        filtered(guard("[{ size = 2 }]"), A, "long")
    with pytest.raises(Exception, match="binary_data"):
        filtered(guard('["no-markup"]'), A, b"ab")
    with pytest.raises(TypeError, match="no JSON form"):
        filtered(guard('["no-markup"]'), A, ENDLESS)


@pytest.mark.parametrize("name", ["/service/a", "/meta/connect"])
def test_nothing_is_distributed_on_service_and_meta_channels(name: str) -> None:
    with pytest.raises(ValueError, match="nothing is distributed"):
        broadcast_channel(name)


def test_single_clients_are_sent_something_on_any_channel_but_the_protocols() -> None:
    assert deliverable_channel("/service/a").name == "/service/a"
    with pytest.raises(ValueError, match="only the bus itself"):
        deliverable_channel("/meta/connect")
    for check in (broadcast_channel, deliverable_channel):
        assert check("/a").name == "/a"
        with pytest.raises(ChannelInvalid):
            check("/a/*")
