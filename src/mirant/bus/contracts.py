"""All seams of the bus on one page: what it asks of others, and what others may ask of it.

`Host` runs the bus, `Engine` carries messages from publish to arrival, `Guard` judges, `Observer` is told.
`Carrier`, `Link` and `Outgoing` (in `mirant.bus.carrier`) lead to the clients, `Retention` (in
`mirant.bus.retention`) keeps what they have not acknowledged, `Party` (in `mirant.bus.party`) is who acts.

A `Result` may be there at once or be awaited. The memory engine never waits; so where it is used no step
of the pipeline waits for an engine, and publishing is a plain call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeAlias, TypeVar

import msgspec

from mirant.bayeux.channels import Channel, Pattern
from mirant.bayeux.messages import Delivery, Message
from mirant.bus.channel_options import ChannelOptions
from mirant.bus.hooks import Pipeline
from mirant.bus.party import Party
from mirant.bus.record import SessionRecord
from mirant.bus.refusal import Refusal
from mirant.bus.session import Ending, Session
from mirant.options.settings import Settings

T = TypeVar("T")
Result: TypeAlias = T | Awaitable[T]

#: Where a message stands in the order of all: it grows for ever.
Position = int


class Host(Protocol):
    """Runs the bus on an event loop. The calls must return at once, without calling the bus."""

    def check(self) -> None:
        """Return if the bus may be used here.

        Raises:
            RuntimeError: this is another thread, or another event loop than the one that serves the bus.
        """

    def flush_soon(self) -> None:
        """See to it that `Core.flush` is called at the end of this turn of the event loop."""

    def wake_at(self, when: float) -> None:
        """See to it that `Core.advance` is called at *when*, if not earlier."""

    def background(self, pipeline: Pipeline) -> None:
        """Run *pipeline* beside everything else."""


class Published(msgspec.Struct, gc=False):
    """A message that was published, on its way through the engine."""

    channel: Channel
    delivery: Delivery
    #: How many of the channel's messages are kept.
    history: int = 0
    #: The id of the session that shall not get it: its publisher, where a channel has no echo.
    without: str | None = None


class HistoryPage(msgspec.Struct, gc=False):
    """What is left of a channel's past, the oldest first."""

    items: Sequence[tuple[Position, Delivery]]
    #: The name of the engine's life in which these positions hold.
    epoch: str
    #: The position of the newest message that was ever kept of the channel; 0 if there was none.
    top: Position
    #: Whether nothing is missing between what was asked for and `top`.
    complete: bool


class Node(Protocol):
    """What an engine may ask of the process that joined it."""

    def arrived(self, position: Position, item: Published) -> int:
        """Take *item*, which was published here or elsewhere; return how many sessions here get it."""

    def local_members(self, pattern: Pattern) -> int:
        """Return how many sessions here are subscribed to just *pattern*."""

    def local_record(self, session_id: str) -> SessionRecord | None:
        """Return the record of a session that lives here."""


class Engine(Protocol):
    """Where a message goes between its publisher and its subscribers, and what many processes share."""

    @property
    def epoch(self) -> str:
        """The name of this life of the engine: positions of another one mean nothing in it."""

    def join(self, node: Node) -> None:
        """Give *node* everything that is published, in one order."""

    def configure(self, settings: Settings) -> None:
        """Go by *settings* from now on."""

    def append(self, item: Published) -> Result[int]:
        """Accept *item*; return how many sessions of this process get it, as far as that is known.

        When that is there, the engine has accepted the message, with the durability that it promises.
        """

    def history(self, channel: Channel, *, since: Position | None = None, last: int) -> Result[HistoryPage]:
        """Return what is kept of *channel*: the *last* messages, of those after *since*."""

    def forget(self, keeps: Callable[[Channel], int]) -> Result[None]:
        """Keep of each channel's past only as many messages as *keeps* allows."""

    def members(self, pattern: Pattern) -> Result[int]:
        """Return how many sessions are subscribed to just *pattern*, in all processes."""

    def keep(self, record: SessionRecord) -> Result[None]:
        """Keep *record*, which is new or has changed, so that the session survives its process."""

    def record(self, session_id: str) -> Result[SessionRecord | None]:
        """Return the record of a session, wherever it lives; None if there is none."""

    def drop(self, session_id: str) -> Result[None]:
        """Forget the record of a session that ended."""


class Population(Protocol):
    """What a guard may ask about channels."""

    def members(self, pattern: Pattern) -> int:
        """Return how many sessions are subscribed to just *pattern*."""

    def exists(self, pattern: Pattern) -> bool:
        """Whether somebody is subscribed to *pattern*, or it is a channel that exists without that."""


class Guard(Protocol):
    """Judges what parties want to do. The checks raise `Refusal`, or return and so allow it.

    They are functions of the rules, the party and the time, but for `publish` and `call`, which count
    towards limits of rate and may replace the message's data by what filters leave of it.
    """

    def enter(self, party: Party, now: float) -> None:
        """Check a handshake, or a connect that signs in."""

    def subscribe(self, party: Party, pattern: Pattern, now: float) -> None:
        """Check a subscription to *pattern*, and with it to every channel that it matches."""

    def publish(self, party: Party, channel: Channel, message: Message, now: float) -> None:
        """Check and filter a publish."""

    def confirm(
        self, party: Party, channel: Channel, message: Message, now: float, *, filtered: bool
    ) -> None:
        """Check again a publish that the application had to see first, and may have changed.

        Unless it is *filtered*, what is now its data has not been through the filters that are in force now.
        It counts towards no limit a second time.
        """

    def call(self, party: Party, channel: Channel, message: Message, now: float) -> None:
        """Check and filter a message to a service channel."""

    def chain(self, channel: Channel) -> Callable[[bytes], bytes] | None:
        """Return what all data on *channel* has to go through, the application's too; None for nothing.

        It returns what is left of some JSON, and raises `Veto` if nothing is left. Two chains that do the
        same are equal.
        """

    def options(self, channel: Channel) -> ChannelOptions:
        """Return the options that the rules set for *channel*."""

    def revoked(self, party: Party, patterns: Iterable[Pattern]) -> Iterable[Pattern]:
        """Return those of *patterns* that *party* would not be granted any more."""


class Observer:
    """Told of what happens; does nothing. Logs, audits and counters are observers.

    The bus calls what a subclass overrides, and nothing else. A call must return at once and raise nothing.
    """

    def opened(self, session: Session) -> None:
        """A session began."""

    def ended(self, session: Session, ending: Ending) -> None:
        """A session ended."""

    def refused(self, party: Party, channel: str | None, refusal: Refusal) -> None:
        """A message of *party* to *channel* was refused."""

    def published(self, channel: Channel, size: int, receivers: int) -> None:
        """A message of *size* bytes was accepted for *receivers* sessions."""

    def flushed(self, deliveries: int, frames: int, lag: float) -> None:
        """A tick was sent, *lag* seconds after that was asked for.

        *deliveries* and *frames* count since the bus was made: what was handed to sessions, and what of that
        was written into connections at once.
        """

    def dropped(self, session: Session, channel: str, count: int) -> None:
        """*count* messages of *channel* did not fit into the outbox of *session*."""

    def failed(self, event: str, error: BaseException, facts: dict[str, object]) -> None:
        """Code of the application, of an extension or of this package raised *error*: a bug of somebody's."""

    def noted(self, event: str, party: Party | None, facts: dict[str, object]) -> None:
        """Something else happened that an operator may look for: *event* names it, *facts* tell of it."""
