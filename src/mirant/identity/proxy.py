"""Who a client is, according to the reverse proxy that it came through."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from mirant.bus.carrier import UNIX, Request
from mirant.bus.identity import CredentialRefused, Identity
from mirant.identity.claims import read_name
from mirant.identity.proxy_options import ProxyOptions
from mirant.identity.token_invalid import Reason, TokenInvalid

_BETWEEN: Final = re.compile(r"[,\s]+")


class Proxy:
    """Reads the headers of a proxy, and believes them if they come from there."""

    __slots__ = ("_roles_header", "_trusted", "_trusts_file", "_user_header")

    def __init__(self, options: ProxyOptions) -> None:
        """Read the headers that *options* name."""
        self._user_header = (options.user_header or "").lower()
        self._roles_header = (options.roles_header or "").lower()
        self._trusts_file = UNIX in options.trusted
        self._trusted = [ip_network(network) for network in options.trusted if network != UNIX]

    def identify(self, request: Request) -> Identity | None:
        """Return whom the proxy names, or None if it names nobody.

        Raises:
            CredentialRefused: somebody else wrote the headers, or there is no name in them.
        """
        user = request.headers.get(self._user_header, "").strip()
        roles = request.headers.get(self._roles_header, "").strip()
        if not user and not roles:
            return None
        # Never the address: that is what somebody says it is, if need be who wrote the headers.
        if not self._trusts(request.peer):
            # Either somebody tries to be somebody else, or the list of proxies is not complete.
            header = self._user_header if user else self._roles_header
            raise CredentialRefused("proxy_not_trusted", event="identity.forged", facts={"header": header})
        if not user:
            return None
        try:
            self._check_single(request)
            return Identity(read_name(_text(user), "the user"), _read_roles(roles))
        except (TokenInvalid, UnicodeError) as error:
            facts = {"reason": error}
            raise CredentialRefused("user_invalid", event="identity.refused", facts=facts) from None

    def _check_single(self, request: Request) -> None:
        """Refuse a header that came twice: one is the proxy's, which adds its own, and one the client's.

        Raises:
            TokenInvalid: it did, or something on the way has joined two of them by a comma.
        """
        for name in (self._user_header, self._roles_header):
            if name in request.repeated:
                raise TokenInvalid(Reason.AMBIGUOUS, f"{name} came twice")
        if "," in request.headers.get(self._user_header, ""):
            raise TokenInvalid(Reason.AMBIGUOUS, "there is a comma in it")

    def _trusts(self, peer: str | None) -> bool:
        if peer == UNIX:
            return self._trusts_file
        try:
            address = ip_address(peer or "")
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped  # a socket for both families has IPv4 peers in this form
        return any(address in network for network in self._trusted)


def _read_roles(value: str) -> frozenset[str]:
    return frozenset(read_name(role, "each role") for role in _BETWEEN.split(_text(value)) if role)


def _text(value: str) -> str:
    """Return a header's value as text: HTTP gives bytes, of which hosts make characters one by one."""
    return value.encode("latin-1").decode("utf-8")
