"""Refusing a message: an error of the table, on its way to the reply."""

from __future__ import annotations

from mirant.bayeux.advice import Advice
from mirant.bayeux.errors import ErrorKind


class Refusal(Exception):
    """A message is refused with *error*, with an *argument* between its colons, and *advice* if it helps."""

    def __init__(self, error: ErrorKind, argument: str = "", *, advice: Advice | None = None) -> None:
        super().__init__(error.wire(argument))
        self.error = error
        self.argument = argument
        self.advice = advice
