"""Reading who a client is from the headers of a reverse proxy."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from mirant.bus.identity import CredentialRefused, Identity
from mirant.bus.request import UNIX, Request
from mirant.identity.claims import read_name
from mirant.identity.proxy_options import ProxyOptions
from mirant.identity.token_invalid import Reason, TokenInvalid

_BETWEEN: Final = re.compile(r"[,\s]+")


class Proxy:
    """Reads the headers of a proxy, and believes them in requests that come from one."""

    __slots__ = ("_roles_header", "_trusted", "_trusts_file", "_user_header")

    def __init__(self, options: ProxyOptions) -> None:
        """Read the headers that *options* name."""
        self._user_header = (options.user_header or "").lower()
        self._roles_header = (options.roles_header or "").lower()
        self._trusts_file = UNIX in options.trusted
        self._trusted = [ip_network(network) for network in options.trusted if network != UNIX]

    def identify(self, request: Request) -> Identity | None:
        """Return the identity that the proxy names, or None if it names nobody.

        Raises:
            CredentialRefused: the headers do not come from a trusted proxy, or they have no valid name.
        """
        user = request.headers.get(self._user_header, "").strip()
        roles = request.headers.get(self._roles_header, "").strip()
        if not user and not roles:
            return None
        # The peer, not the address: the address is what a header says, which the client may have written.
        if not self._trusts(request.peer):
            # Either a client poses as somebody else, or the list of proxies is not complete.
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
        """Refuse a header that came twice: the proxy has added its own to the client's.

        Raises:
            TokenInvalid: a header came twice, or two were joined by a comma on the way.
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
    """Return a header's value as UTF-8 text. Hosts decode headers as Latin-1, byte by byte."""
    return value.encode("latin-1").decode("utf-8")
