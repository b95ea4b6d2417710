"""The keys that tokens are verified with: a secret, a public key, or a set that is fetched now and then."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from joserfc.jwk import Key

from mirant.bus.log_lines import one_line
from mirant.identity.key_fetch import Fetch
from mirant.identity.key_import import fits, import_key_set

# Least seconds between two fetches. A token that names an unknown key causes a fetch; a client that sends
# such tokens cannot cause more of them.
COOLDOWN: Final = 10.0

# Seconds from a failed fetch to the next, if there are keys from before.
_RETRY: Final = 60.0

# Seconds after which waiting for a fetch is given up.
_DEADLINE: Final = 10.0

log = logging.getLogger("mirant")


class Keys(Protocol):
    """Keys, found by the algorithm and the key id that a token's header names."""

    @property
    def available(self) -> bool:
        """Whether there are any keys."""

    def find(self, algorithm: str, kid: str | None) -> Key | None:
        """Return the key for *algorithm* that is called *kid*; never one of another type."""

    def update(self, algorithm: str, kid: str | None) -> Awaitable[None] | None:
        """Return an awaitable to wait for before `find`; None if the keys at hand will do."""


class FixedKey:
    """A single key. It ignores the key id that a token names."""

    __slots__ = ("_key",)

    available = True

    def __init__(self, key: Key) -> None:
        self._key = key

    def find(self, algorithm: str, kid: str | None) -> Key | None:
        """Return the key if it is for *algorithm*."""
        return self._key if fits(self._key, algorithm) else None

    def update(self, algorithm: str, kid: str | None) -> None:
        """Return None, because the key never changes."""


class RotatingKeys:
    """A key set that is fetched from time to time, and when a token names a new key.

    The keys of the last successful fetch stay in use, so that an issuer that cannot be reached for a while
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
        self._due = self._rested = clock()  # when to fetch again, and when that is allowed at the earliest
        self._loading: asyncio.Task[None] | None = None
        self._running = False  # whether the thread runs, even if nobody waits for it any more

    @property
    def available(self) -> bool:
        """Whether the set was ever fetched."""
        return bool(self._keys)

    def load(self) -> None:
        """Fetch the set in this thread, and wait for it.

        Raises:
            OSError: it cannot be reached.
            ValueError: it is not a key set.
        """
        self._take(import_key_set(self._fetch()))

    def find(self, algorithm: str, kid: str | None) -> Key | None:
        """Return the key for *algorithm* that is called *kid*, or, without one, the only one there is."""
        found = [key for key in self._keys if kid in (None, key.kid) and fits(key, algorithm)]
        return found[0] if len(found) == 1 else None

    def update(self, algorithm: str, kid: str | None) -> Awaitable[None] | None:
        """Return a fetch to wait for if the key is not in the set, or if the set is too old.

        If a fetch is due and the key is in the set, the fetch goes on in the background, so that a slow
        issuer delays nobody. A withdrawn key is accepted until that fetch ends. It is not accepted if the set
        is twice as old as it should be, for example after a day without tokens.
        """
        now = self._clock()
        known = self.find(algorithm, kid) is not None
        if known and now < self._due:
            return None
        if self._loading is None or self._loading.done():  # done: its event loop ended before it began
            if now < self._rested or self._running:
                return None
            self._loading = asyncio.ensure_future(self._load_aside())
        if known and now < self._due + self._refresh:
            return None
        # All who wait share one fetch. The shield lets it go on when one of them is cancelled.
        return asyncio.shield(self._loading)

    async def _load_aside(self) -> None:
        self._rested = self._clock() + COOLDOWN
        try:
            async with asyncio.timeout(_DEADLINE):
                self._take(await asyncio.to_thread(self._run))
        except Exception as error:  # after any failure the keys from before are kept
            self._due = self._clock() + (_RETRY if self._keys else 0)
            log.warning(
                "keys.failed place=%s error=%s: %s", self._place, type(error).__name__, one_line(error)
            )
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
