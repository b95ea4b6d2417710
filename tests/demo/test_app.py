"""The remote call of the demo answers with the very bytes it was given."""

import json

import httpx
import pytest

from mirant import Bus


@pytest.mark.parametrize(
    "data",
    [
        "null",
        "0",
        "-0",
        "1.50",
        "12345678901234567890123",
        "1e400",
        '"\\u2603 ☃"',
        '{"a":1,"a":2}',
        "[ ]",
        "[[[{}]]]",
    ],
)
async def test_not_even_a_number_is_rounded(bus: Bus, data: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=bus), base_url="http://bus") as http:
        handshake = (
            '[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}]'
        )
        [reply] = (await http.post("/", content=handshake)).json()
        session = json.dumps(reply["clientId"])
        call = f'[{{"channel":"/service/echo","id":"7","clientId":{session},"data":{data}}}]'
        answers = (await http.post("/", content=call)).text
    assert f'"data":{data}' in answers
