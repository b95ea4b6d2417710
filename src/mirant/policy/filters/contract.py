"""What a filter is, and how it refuses."""

from __future__ import annotations

from typing import Any, Protocol

from mirant.bus.veto import Veto
from mirant.options.declaring import Fault


class Filter(Protocol):
    """One step of a chain: a pure function of the decoded `data` of a message.

    It gets what `exact.decode` makes: dict, list, str, int, `exact.Number`, bool and None. It never changes
    what it gets: it returns the same object if it has nothing to do, and a new one otherwise.
    """

    @property
    def name(self) -> str:
        """What an operator reads, such as ``regex [fF].ck``."""
        ...

    def __call__(self, data: Any, /) -> Any:
        """Return what is left of *data*.

        Raises:
            Dropped: nothing; the message goes nowhere.
        """
        ...


class Dropped(Veto):
    """A filter refuses a message; the publisher gets the text, as ``404:reason:message_deleted``."""


class FilterInvalid(ValueError):
    """A filter cannot be made of what the file says; `faults` say why."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults
