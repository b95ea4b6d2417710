"""Which exchange answers a request: the one of the transport that it speaks."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from mirant.bus.request import Request
from mirant.testing import World
from mirant.transports.exchanges import exchange_of
from mirant.transports.response import Response

HANDSHAKE = json.dumps([{"channel": "/meta/handshake", "id": "1"}])


def answered(transport: str, request: Request, body: bytes) -> Response:
    """Return the response to a handshake in *request* or its *body*."""
    world, responses = World(), list[Response]()

    def answer(response: Response) -> bool:
        responses.append(response)
        return True

    exchange = exchange_of(transport, world.core, request, answer)
    assert exchange.transport == transport
    messages = exchange.read(body)
    assert messages is not None
    world.run(world.core.receive(messages, exchange, world.now))
    [response] = responses
    return response


def test_a_post_is_answered_with_json() -> None:
    response = answered("long-polling", Request(), HANDSHAKE.encode())
    assert json.loads(response.body)[0]["successful"]


def test_a_script_is_answered_with_a_script() -> None:
    request = Request(query=f"jsonp=called&message={quote(HANDSHAKE)}")
    response = answered("callback-polling", request, b"")
    assert response.body.startswith(b'/**/called([{"channel":"/meta/handshake"')


def test_a_query_means_nothing_to_a_post() -> None:
    request = Request(query="jsonp=called&message=nothing")
    response = answered("long-polling", request, HANDSHAKE.encode())
    assert json.loads(response.body)[0]["successful"]


def test_a_script_needs_the_name_of_a_function() -> None:
    with pytest.raises(AssertionError, match="not callback-polling"):
        exchange_of(
            "callback-polling", World().core, Request(query="jsonp=(&message=[]"), lambda response: True
        )
