"""What the handlers of messages have in common: the values that they return, and the session of a turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias

from mirant.bayeux.messages import Message, Reply
from mirant.bus.session import Session
from mirant.bus.turn import Turn

#: The steps that are left of a message that had to wait for the application; they result in whether its reply
#: is to be sent now.
Steps: TypeAlias = Generator[Awaitable[Any], Any, bool]

#: Fills the reply to a message; says whether it is to be sent now, or what is left to do.
Handler: TypeAlias = Callable[[Turn, Message, Reply], "bool | Steps"]


def session_of(turn: Turn) -> Session:
    """Return the session of *turn*, which has one: the pipeline has checked it."""
    assert turn.session is not None, "the pipeline checks the session first"
    return turn.session
