"""Authentication: who a client is, asked at each handshake and at connects that may bring a fresh token."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256
from math import inf
from typing import TypeAlias

from mirant.bayeux.messages import Message
from mirant.bus.identity import CredentialRefused, Identity
from mirant.bus.log_lines import LogLines
from mirant.bus.party import Party
from mirant.bus.request import Request
from mirant.identity.credentials import Credentials, Presented
from mirant.identity.proxy import Proxy
from mirant.identity.token_invalid import TokenInvalid
from mirant.identity.tokens import Tokens

#: A hook's answer: an identity, None if there is no credential, or an awaitable of one of them.
Answer: TypeAlias = Identity | Awaitable[Identity | None] | None

log = logging.getLogger("mirant")


class Authentication:
    """The hooks `mirant.bus.hooks.Authenticate` and `Renew`, by tokens, by a proxy's headers, or by both.

    An invalid credential refuses the message, even if another one is valid. So do a token and a proxy that
    name different users. If they name the same user, the token decides, because it runs out.
    """

    __slots__ = ("_clock", "_credentials", "_lines", "_proxy", "_tokens")

    def __init__(
        self,
        *,
        tokens: tuple[Tokens, Credentials] | None = None,
        proxy: Proxy | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Verify tokens with the first of *tokens*, and find them with the second.

        Args:
            tokens: what verifies tokens, and what finds them in a request; None: no token is looked for.
            proxy: what reads a proxy's headers; None: no header is believed.
            clock: gives seconds since 1970.
        """
        self._tokens: Tokens | None
        self._credentials: Credentials
        self._tokens, self._credentials = tokens or (None, Credentials(()))
        self._proxy = proxy
        self._clock = clock
        self._lines = LogLines(log)

    def authenticate(self, message: Message, request: Request) -> Answer:
        """Return the identity of a handshake's sender, or an awaitable of it; None if there is no credential.

        Raises:
            CredentialRefused: a credential is invalid; the text says why in a word. Awaiting the answer may
                raise it too.
        """
        asserted = None if self._proxy is None else self._proxy.identify(request)
        presented = self._credentials.of(message, request)
        if presented is None:
            return asserted
        return self._settle(presented, request, partial(_agree, asserted), lenient=False)

    def renew(self, party: Party, message: Message, request: Request) -> Answer:
        """Return the fresh identity in a /meta/connect, or an awaitable of it; None if there is none.

        A client without an identity signs in this way. Its session goes on.

        A token is fresh if it runs out later than the session's. A browser may send an old token, such as a
        cookie, with every request. If that token is invalid it is ignored: the session keeps its identity for
        as long as that holds.

        Raises:
            CredentialRefused: the token is invalid, or another user's. Awaiting the answer may raise it too.
        """
        presented, current = self._credentials.of(message, request), party.identity
        if presented is None or (current is not None and _is_from(current, presented)):
            return None
        if current is None and not presented.deliberate:
            # A browser sends its cookies with every request. An attacker who opened a session could make the
            # browser send its id, and so sign in the session as the user.
            return None
        return self._settle(presented, request, partial(_renew, current), lenient=not presented.deliberate)

    def conceal(self, message: Message) -> None:
        """Remove the tokens from *message*, which is about to be forwarded to other clients."""
        self._credentials.conceal(message)

    def _settle(
        self,
        presented: Presented,
        request: Request,
        judge: Callable[[Identity], Identity | None],
        *,
        lenient: bool,
    ) -> Answer:
        """Return *judge* of the identity; None if *lenient* and the *presented* token is invalid."""
        assert self._tokens is not None, "without them nothing is presented"
        try:
            if presented.fault is not None:
                raise presented.fault
            identity = self._tokens.identify(presented.token, self._clock)
        except TokenInvalid as error:
            self._refuse(error, request, lenient=lenient)
            return None
        if isinstance(identity, Identity):
            return judge(identity)
        return self._settle_later(identity, request, judge, lenient=lenient)

    async def _settle_later(
        self,
        waiting: Awaitable[Identity],
        request: Request,
        judge: Callable[[Identity], Identity | None],
        *,
        lenient: bool,
    ) -> Identity | None:
        try:
            identity = await waiting
        except TokenInvalid as error:
            self._refuse(error, request, lenient=lenient)
            return None
        return judge(identity)

    def _refuse(self, error: TokenInvalid, request: Request, *, lenient: bool) -> None:
        """Raise `CredentialRefused`, unless *lenient*. The log never has the token."""
        event, level = ("token.ignored", logging.DEBUG) if lenient else ("token.refused", logging.INFO)
        facts = {"address": request.address, "reason": error.reason, "detail": error.detail or None}
        self._lines.write(self._clock(), level, event, facts, source=request.address or "")
        if not lenient:
            raise CredentialRefused(error.told, temporary=error.temporary) from None


def _agree(asserted: Identity | None, identity: Identity) -> Identity:
    """Return the *identity* of a token, unless a proxy says that it is somebody else's."""
    if asserted is not None and asserted.name != identity.name:
        facts = {"token": identity.name, "proxy": asserted.name}
        raise CredentialRefused("identities_differ", event="identity.conflict", facts=facts)
    return identity


def _renew(current: Identity | None, identity: Identity) -> Identity | None:
    """Return *identity* if it holds longer than the session's *current* one, or if there is none yet."""
    if current is None:
        return identity
    if identity.name != current.name:
        facts = {"token": identity.name, "session": current.name}
        raise CredentialRefused("token_of_another_user", event="identity.conflict", facts=facts)
    return identity if _end(identity) > _end(current) else None


def _end(identity: Identity) -> float:
    """Return when *identity* runs out, in seconds since 1970."""
    end = identity.claims.get("exp")
    if isinstance(end, int | float):
        return float(end)
    return inf if identity.valid_for is None else 0.0


def _is_from(identity: Identity, presented: Presented) -> bool:
    """Whether *identity* was established by the very token that is *presented* again."""
    digest = sha256(presented.token.encode("utf-8", "surrogatepass")).digest()
    return presented.fault is None and identity.fingerprint == digest
