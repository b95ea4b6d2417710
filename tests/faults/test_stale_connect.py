"""A connect that was under way for long, and arrives when its client has given it up."""

from mirant.extensions.ack import Ack
from mirant.testing import World


def test_a_stale_acknowledgement_takes_back_no_newer_one() -> None:
    world = World()
    world.core.extensions.add(Ack())
    client = world.polling()
    client.handshake(ext={"ack": True})
    assert client.connect(ext={"ack": 0}).reply["ext"] == {"ack": 1}
    client.subscribe("/a")
    world.publish("/a", "once")
    answer = client.connect(ext={"ack": 1})
    assert [message.get("data") for message in answer.messages] == ["once", None]
    assert answer.reply["ext"] == {"ack": 2}
    client.connect(ext={"ack": 1}).hang_up()  # sent before that, overtaken, and nobody waits for its answer
    answer = client.connect(ext={"ack": 2})
    assert answer.held, "what the client acknowledged came again"
