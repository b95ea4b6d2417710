"""The keys that tokens are verified with: a secret, a public key, or a set that is looked at again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from joserfc.jwk import Key

from mirant.identity.key_fetch import Fetch
from mirant.identity.key_import import fits, import_key_set

# How soon the set is looked at again because a token names a key that is not in it. Whoever sends such
# tokens can have that done no more often.
COOLDOWN: Final = 10.0

# How soon after a failure, if there are keys from before.
_RETRY: Final = 60.0

# When waiting for the set is given up, whatever it is that hangs.
_DEADLINE: Final = 10.0

log = logging.getLogger("mirant")


class Keys(Protocol):
    """Keys, by what a token says of its own."""

    @property
    def available(self) -> bool:
        """Whether there are any."""

    def find(self, algorithm: str, kid: str | None) -> Key | None:
        """Return the key for *algorithm* that is called *kid*; never one of another type."""

    def update(self, algorithm: str, kid: str | None) -> Awaitable[None] | None:
        """Return what to wait for before `find` is asked, or None if what there is will do."""


class FixedKey:
    """A single key, for whatever a token calls it: nothing is looked up by a name that a client chose."""

    __slots__ = ("_key",)

    available = True

    def __init__(self, key: Key) -> None:
        self._key = key

    def find(self, algorithm: str, kid: str | None) -> Key | None:
        """Return the key if it is for *algorithm*."""
        return self._key if fits(self._key, algorithm) else None

    def update(self, algorithm: str, kid: str | None) -> None:
        """Return None: it never changes."""


class RotatingKeys:
    """A key set that is fetched, and looked at again from time to time and when a token names a new key.

    What was fetched last is kept until something better comes: an issuer that cannot be reached for a while
    does not lock everybody out.
    """

    def __init__(
        self,
        fetch: Fetch,
        place: str,
        *,
        refresh: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Get the set with *fetch*, in a thread, at least every *refresh* seconds in which it is used.

        Args:
            fetch: returns the JSON of the set, or raises; it is called once at a time.
            place: where it is, for the log.
            refresh: in seconds.
            clock: seconds from any start, never set back.
        """
        self._fetch = fetch
        self._place = place
        self._refresh = refresh
        self._clock = clock
        self._keys: Sequence[Key] = ()
        self._due = self._rested = clock()  # when to look again, and from when on that may be at all
        self._loading: asyncio.Task[None] | None = None
        self._running = False  # also when nobody waits for the thread any more

    @property
    def available(self) -> bool:
        """Whether it was ever fetched."""
        return bool(self._keys)

    def load(self) -> None:
        """Fetch the set here and now, in this thread.

        Raises:
            OSError: it cannot be reached.
            ValueError: it is no key set.
        """
        self._take(import_key_set(self._fetch()))

    def find(self, algorithm: str, kid: str | None) -> Key | None:
        """Return the key for *algorithm* that is called *kid*, or, without one, the only one there is."""
        found = [key for key in self._keys if kid in (None, key.kid) and fits(key, algorithm)]
        return found[0] if len(found) == 1 else None

    def update(self, algorithm: str, kid: str | None) -> Awaitable[None] | None:
        """Return what to wait for if the key is not in the set, or the set has not been looked at for long.

        If it is time to look again and the key is there, that goes on beside: an issuer that is slow slows
        nobody down then. A key that was withdrawn is good for that moment longer, but not because there had
        been no tokens for a day.
        """
        now = self._clock()
        known = self.find(algorithm, kid) is not None
        if known and now < self._due:
            return None
        if self._loading is None or self._loading.done():  # one whose event loop ended never began
            if now < self._rested or self._running:
                return None
            self._loading = asyncio.ensure_future(self._load_aside())
        if known and now < self._due + self._refresh:
            return None
        # Theirs is one fetch, which goes on if one of them is cancelled.
        return asyncio.shield(self._loading)

    async def _load_aside(self) -> None:
        self._rested = self._clock() + COOLDOWN
        try:
            async with asyncio.timeout(_DEADLINE):
                self._take(await asyncio.to_thread(self._run))
        except Exception as error:  # whatever it is: the keys from before are kept
            self._due = self._clock() + (_RETRY if self._keys else 0)
            log.warning("keys.failed place=%s error=%s: %s", self._place, type(error).__name__, error)
        finally:
            self._loading = None

    def _run(self) -> Sequence[Key]:
        self._running = True
        try:
            return import_key_set(self._fetch())
        finally:
            self._running = False

    def _take(self, keys: Sequence[Key]) -> None:
        if [key.as_dict() for key in keys] != [key.as_dict() for key in self._keys]:
            log.info("keys.changed place=%s keys=%d", self._place, len(keys))
        self._keys = keys
        self._due = self._clock() + self._refresh
