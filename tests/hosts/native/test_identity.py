"""Who polls on the native host: a fresh token counts wherever a request brings it, on a plain poll too."""

import json
import time
from pathlib import Path

import pytest

from mirant import Bus, Caller
from tests.hosts.clock import settle
from tests.hosts.line import Site
from tests.hosts.wire import post
from tests.identity.signing import SECRET, with_secret

CONFIG = f"""
[token]
algorithms = ["HS256"]
secret = "{SECRET}"
from = ["header:x-token", "cookie:token"]

[[channel]]
match = "/**"
subscribe = "authenticated"
publish = "authenticated"
call = "authenticated"
"""
NOW = time.time() + 3_600  # the tests may run an hour after this was read


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """The native host alone."""


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    """Return a host whose bus tells a caller until when its token is good."""
    path = tmp_path / "mirant.toml"
    path.write_text(CONFIG)
    bus = Bus(path, environ={})

    @bus.rpc("/good/until")
    def good_until(caller: Caller, data: object) -> object:
        return None if caller.identity is None else caller.identity.claims["exp"]

    return Site(bus=bus)


async def good_until(site: Site) -> object:
    """Return until when the site's session is signed in, as the application sees it."""
    _, _, body = (await site.ask(site.connect(), "/service/good/until", data=0)).partition(b"\r\n\r\n")
    [answer] = [message["data"] for message in json.loads(body) if "data" in message]
    return answer


def signed(place: str, seconds: float) -> str:
    """Return the header line of a request whose token is at *place* and good for *seconds* from now."""
    return place + with_secret({"sub": "alice", "exp": NOW + seconds})


async def poll_plainly(site: Site, token: str) -> bytes:
    """Poll with the head of a former request, so that it is not read anew; return what is written.

    The former request is a publish of the same length: that does not take notice of a fresh token.
    """
    line, bodies = site.connect(), []
    for channel, fields in (("/a", {"data": 1}), ("/meta/connect", {"connectionType": "long-polling"})):
        bodies.append(json.dumps([{"channel": channel, "clientId": site.id, "id": "1", **fields}]).encode())
    for body in bodies:
        line.protocol.data_received(post(body.ljust(max(map(len, bodies))), "/cometd", token))
        await settle()
        written = line.take()
    return written


@pytest.mark.parametrize("place", ["x-token: ", "Cookie: token="])
async def test_a_fresh_token_in_a_header_of_a_plain_poll_prolongs_the_identity(
    site: Site, place: str
) -> None:
    await site.enter(site.connect(), signed(place, 600))
    assert await good_until(site) == NOW + 600
    assert await poll_plainly(site, signed(place, 3_600)) == b"", "it is held"
    assert await good_until(site) == NOW + 3_600


async def test_a_token_of_another_user_in_a_header_of_a_plain_poll_does_not_sign_in(site: Site) -> None:
    await site.enter(site.connect(), signed("x-token: ", 600))
    other = with_secret({"sub": "bob", "exp": NOW + 3_600})
    assert b"token_of_another_user" in await poll_plainly(site, f"x-token: {other}")
    assert await good_until(site) == NOW + 600
