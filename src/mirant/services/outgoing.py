"""Sending for the application: the channels that it may use, and its values as deliveries."""

from __future__ import annotations

import msgspec

from mirant.bayeux.channels import Channel, Kind
from mirant.bayeux.messages import Delivery
from mirant.bus.contracts import Guard
from mirant.bus.veto import Veto
from mirant.extensions.binary import BINARY_EXT, Binary

_encode = msgspec.json.Encoder().encode


def delivery_of(channel: Channel, data: object, **fields: object) -> Delivery:
    """Return the delivery of *data*, which may be `Binary` or bytes, with further *fields* of the message.

    Raises:
        TypeError: *data* has no JSON form.
    """
    if isinstance(data, bytes | bytearray | memoryview):
        data = Binary(bytes(data))
    if isinstance(data, Binary):
        data, fields["ext"] = data.to_wire(), BINARY_EXT
    return Delivery.of(channel, data, **fields)


def filtered(guard: Guard, channel: Channel, data: object) -> object:
    """Return what the filters of *channel* make of *data*, which the application publishes.

    Raises:
        Veto: a filter dropped *data*, or *data* is binary, which channels with filters do not take.
        TypeError: *data* has no JSON form.
    """
    chain = guard.chain(channel)
    if chain is None:
        return data
    if isinstance(data, Binary | bytes | bytearray | memoryview):
        raise Veto("binary_data")
    try:
        raw = _encode(data)
    except (ValueError, OverflowError, RecursionError) as error:
        raise TypeError(f"this has no JSON form: {error}") from error
    return msgspec.Raw(chain(raw))


def broadcast_channel(name: str) -> Channel:
    """Return the channel *name*, which must be one that messages are distributed on.

    Raises:
        ChannelInvalid: it is not a channel name.
        ValueError: it is a meta or service channel.
    """
    channel = Channel.parse(name)
    if channel.kind is not Kind.BROADCAST:
        raise ValueError(f"{name} is a {channel.kind.value} channel; nothing is distributed on those")
    return channel


def deliverable_channel(name: str) -> Channel:
    """Return the channel *name*, on which the application may send something to a single client.

    Raises:
        ChannelInvalid: it is not a channel name.
        ValueError: it is a meta channel. Clients would take the message for one of the bus.
    """
    channel = Channel.parse(name)
    if channel.kind is Kind.META:
        raise ValueError(f"{name} is a meta channel; only the bus itself speaks there")
    return channel
