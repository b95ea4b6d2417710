"""What all connections of one server share: which proxies are believed."""

from __future__ import annotations

from typing import Final

from mirant import Bus, Handshake, Identity
from tests.hosts.clients import Poller
from tests.hosts.serving import serving

REAL_TIME: Final = True
HANDSHAKE = b'[{"channel":"/meta/handshake"}]'


async def test_a_proxy_on_this_machine_is_believed_and_nobody_else() -> None:
    for trusted, secure in (("127.0.0.1", True), ("10.0.0.1", False)):
        bus = Bus()
        addresses: list[str | None] = []

        @bus.authenticate
        def who(handshake: Handshake, addresses: list[str | None] = addresses) -> Identity:
            addresses.append(handshake.request.address)
            return Identity("somebody")

        async with serving(bus, forwarded_allow_ips=trusted) as url, Poller.at(url) as client:
            headers = {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https"}
            response = await client.post(HANDSHAKE, **headers)

        assert ("Secure" in response.headers["set-cookie"]) is secure
        assert addresses == ["192.0.2.7" if secure else "127.0.0.1"]


async def test_of_a_chain_of_proxies_the_first_says_whether_the_client_spoke_tls() -> None:
    chains = {"https, http": True, "http, https": False, "https": True, "HTTPS": True, "": False}
    for said, secure in chains.items():
        async with serving(Bus()) as url, Poller.at(url) as client:
            response = await client.post(HANDSHAKE, **{"x-forwarded-proto": said})
        assert ("Secure" in response.headers["set-cookie"]) is secure
