"""A transport is asked for once, and asked to close once."""

from mirant.client.events import TransportUnwanted, TransportWanted
from mirant.client.link import TransportLink
from mirant.client.traffic import Traffic


def test_each_wish_is_said_once() -> None:
    traffic = Traffic(network_delay=10)
    link = TransportLink(traffic)
    link.want()
    link.want()
    seen = [link.is_open]
    link.opened()
    seen.append(link.is_open)
    link.want()
    link.close("enough")
    seen.append(link.is_open)
    link.close("enough")

    assert traffic.events == [TransportWanted(), TransportUnwanted("enough")]
    assert seen == [False, True, False]


def test_after_a_loss_it_is_asked_for_again() -> None:
    traffic = Traffic(network_delay=10)
    link = TransportLink(traffic)
    link.want()
    link.lost()
    link.want()

    assert traffic.events == [TransportWanted(), TransportWanted()]
