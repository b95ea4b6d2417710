"""What CometD's server answered in the recorded dialogues, read as a client reads it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mirant.bayeux.client_messages import decode_server
from tests.recordings.replay import FILES, load


def answers(file: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the messages of each answer in a recording."""
    for step in load(file)["steps"]:
        expected = step.get("expect")
        if isinstance(expected, dict) and expected.get("messages"):
            yield expected["messages"]


@pytest.mark.parametrize("file", FILES)
def test_every_answer_is_read_as_what_it_is(file: str) -> None:
    count = 0
    for messages in answers(file):
        body = json.dumps(messages).encode()
        for message, read in zip(messages, decode_server(body), strict=True):
            count += 1
            assert read.is_delivery == ("data" in message)
            assert read.channel == message.get("channel", "")
            assert read.id == message.get("id")
            assert read.client_id == message.get("clientId")
            assert read.successful == message.get("successful")
            if not isinstance(message.get("subscription"), int):  # echoed as it was sent
                assert read.subscription == message.get("subscription")
            assert read.error == message.get("error")
            assert (read.advice is None) == ("advice" not in message)
    assert count > 0
