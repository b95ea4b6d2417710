"""The progress of a run: one line, overwritten on a terminal, repeated now and then in a log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mirant.load.crew import RunState
from mirant.load.outcome import Outcome
from mirant.load.wording import milliseconds, share

_EVERY: Final = 0.5  # seconds, on a terminal
_LOGGED_EVERY: Final = 5.0


class Progress:
    """Watches a crew. It is given a function to write with, and a clock in seconds."""

    def __init__(
        self, write: Callable[[str], None], clock: Callable[[], float], *, is_terminal: bool
    ) -> None:
        self.interrupts = 0
        self._write = write
        self._clock = clock
        self._is_terminal = is_terminal
        self._said_at: float | None = None
        self._delivered = (0.0, 0, 0)  # when, how many, of which run
        self._title = ""

    def begin(self, title: str = "") -> None:
        """Begin something new. Each line begins with *title*."""
        self._title = title
        self._said_at = None

    def gathering(self, ready: int, clients: int) -> None:
        """Say how many clients are ready."""
        if self._is_due() or ready == clients:
            self._say(f"{ready:,} of {clients:,} clients are ready")

    def playing(self, outcome: Outcome, state: RunState) -> None:
        """Say how a run goes."""
        if not state.delivered or not self._is_due():
            return
        then, delivered, run = self._delivered
        now = self._clock()
        since = state.delivered - (delivered if run == outcome.pace.first else 0)
        rate = since / (now - then) if then and now > then else 0.0
        self._delivered = (now, state.delivered, outcome.pace.first)
        p50, p99 = map(milliseconds, outcome.latency.percentiles([50, 99]))
        latency = f"p50 {p50}, p99 {p99}" if outcome.latency.count else "warming up"
        self._say(
            f"{self._title}{state.published:,} published, {state.delivered:,} delivered, {rate:,.0f}/s, "
            f"{state.outstanding:,} on their way, {latency}, generator {share(state.busy)}"
        )

    def finish(self) -> None:
        """Clear the line for whatever is printed next."""
        if self._is_terminal:
            self._write("\r\x1b[K")

    def _is_due(self) -> bool:
        every = _EVERY if self._is_terminal else _LOGGED_EVERY
        if self._said_at is not None and self._clock() - self._said_at < every:
            return False
        self._said_at = self._clock()
        return True

    def _say(self, line: str) -> None:
        self._write(f"\r\x1b[K{line}" if self._is_terminal else f"{line}\n")
