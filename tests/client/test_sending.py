"""Which messages travel together."""

from mirant.client.sending import SendQueue


def test_messages_travel_together_and_some_alone_in_order() -> None:
    queue = SendQueue()
    queue.add("1", b"{1}")
    queue.add("2", b"{2}")
    queue.add_alone("3", b"{3}", "/connect")
    queue.add("4", b"{4}")
    taken = queue.take()

    assert [(envelope.body, envelope.ids, envelope.path) for envelope in taken] == [
        (b"[{1},{2}]", ("1", "2"), ""),
        (b"[{3}]", ("3",), "/connect"),
        (b"[{4}]", ("4",), ""),
    ]
    assert [envelope.is_connect for envelope in taken] == [False, True, False]
    assert queue.take() == []


def test_what_is_cleared_is_not_sent() -> None:
    queue = SendQueue()
    queue.add_alone("1", b"{1}", "/handshake")
    queue.add("2", b"{2}")
    queue.clear()

    assert queue.take() == []
