"""Refusing a message: an error of the table, on its way to the reply."""

from __future__ import annotations

from collections.abc import Mapping

from mirant.bayeux.advice import Advice
from mirant.bayeux.errors import ErrorKind


class Refusal(Exception):
    """A message is refused with *error*, with an *argument* between its colons, and *advice* if it helps.

    *event* and *facts* are for the audit log: none if the refusal is not worth an entry.
    """

    def __init__(
        self,
        error: ErrorKind,
        argument: str = "",
        *,
        advice: Advice | None = None,
        event: str | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(error.wire(argument))
        self.error = error
        self.argument = argument
        self.advice = advice
        self.event = event
        self.facts: Mapping[str, object] = facts or {}
