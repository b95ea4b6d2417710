"""What a filter is, and how it refuses."""

from __future__ import annotations

from typing import Any, Protocol

from mirant.bus.veto import Veto
from mirant.options.declaring import Fault


class Filter(Protocol):
    """One step of a chain: a pure function of the decoded `data` of a message.

    The data is what `exact.decode` makes: dict, list, str, int, `exact.Number`, bool and None. A filter never
    changes that object. It returns the same object if there is nothing to do, and a new one otherwise.
    """

    @property
    def name(self) -> str:
        """The filter as an operator knows it, such as ``regex [fF].ck``."""
        ...

    def __call__(self, data: Any, /) -> Any:
        """Return the data that takes the place of *data*.

        Raises:
            Dropped: nobody may get the message.
        """
        ...


class Dropped(Veto):
    """A filter refuses a message; the publisher gets the text, as ``404:reason:message_deleted``."""


class FilterInvalid(ValueError):
    """The file describes a filter that cannot be made; `faults` say why."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults
