"""Where an application's code is called from: tables of hooks by channel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable
from inspect import isawaitable
from typing import Any, Generic, TypeVar

from mirant.bayeux.channels import Channel, Pattern, Template
from mirant.bayeux.messages import Message
from mirant.bus.party import Party
from mirant.bus.request import Request
from mirant.bus.session import Session

#: A computation that yields the awaitables it waits for, and is sent their results. As long as it yields
#: nothing it can be run in a plain call, without a task and without a coroutine.
Pipeline = Generator[Awaitable[Any], Any, None]

#: The values of a template's parameters.
Parameters = dict[str, str]

#: Accepts a handshake by returning (or resulting in) an `Identity`, or None for a client that stays
#: anonymous; exceptions deny it.
Authenticate = Callable[[Message, Request], object]
#: Sees each /meta/connect of a session whose identity runs out, and may return (or result in) its fresh
#: identity; None if the message brings no new credential. `Veto` refuses the message.
Renew = Callable[[Party, Message, Request], object]
#: Sees a publish before it is delivered; may change ``message.data`` or raise `Veto`. The party is a session,
#: or the caller of an API.
PublishHook = Callable[[Party, Channel, Message, Parameters], Awaitable[None] | None]
#: Sees a subscription to a plain channel before it is granted; may raise `Veto`.
SubscribeHook = Callable[[Session, Parameters], Awaitable[None] | None]
#: Takes a message to a service channel. What it waits for is awaited beside other messages.
ServiceHook = Callable[[Session, Channel, Message, Parameters], Pipeline]
#: Told of a session that begins or has ended.
SessionHook = Callable[[Session], Awaitable[None] | None]

H = TypeVar("H")
T = TypeVar("T")


class HookTable(Generic[H]):
    """Hooks by the template of the channels they are for, in the order in which they were added."""

    __slots__ = ("_by_depth", "some")

    def __init__(self) -> None:
        self._by_depth: dict[int, list[tuple[Template, H]]] = {}
        #: Whether there is any. An attribute, because each publish asks.
        self.some = False

    def __bool__(self) -> bool:
        return self.some

    def __contains__(self, name: str) -> bool:
        """Whether there is a hook for the template called *name*."""
        return any(name == template.name for hooks in self._by_depth.values() for template, _ in hooks)

    def add(self, template: Template, hook: H) -> None:
        """Let *hook* be found for the channels that *template* binds."""
        self._by_depth.setdefault(len(template.segments), []).append((template, hook))
        self.some = True

    def find(self, channel: Channel) -> list[tuple[H, Parameters]]:
        """Return the hooks for *channel*, each with the values of its parameters."""
        hooks = self._by_depth.get(len(channel.segments), ())
        bound = ((hook, template.bind(channel)) for template, hook in hooks)
        return [(hook, parameters) for hook, parameters in bound if parameters is not None]

    def covered_by(self, pattern: Pattern) -> bool:
        """Whether *pattern* matches some channel for which there is a hook."""
        return any(template.overlaps(pattern) for hooks in self._by_depth.values() for template, _ in hooks)


class HookFailed(Exception):
    """A function of the application was cancelled, took too long, or raised what is not an `Exception`."""


class HookTooSlow(HookFailed):
    """A function of the application did not end in its time; it was cancelled."""


def failure_of(error: BaseException) -> Exception:
    """Return what *error*, which a function of the application raised, is to the bus.

    `CancelledError`, `GeneratorExit` and `SystemExit` would end whoever called the function. To the bus they
    are failures like any other. A `KeyboardInterrupt` is not the function's: Python raises it wherever it
    happens to be when somebody wants the process to end. So it is raised again here.
    """
    if isinstance(error, Exception):
        return error
    if isinstance(error, KeyboardInterrupt):
        raise error
    failed = HookFailed(f"it raised {type(error).__name__}")
    failed.__cause__ = error
    return failed


def call_hook(hook: Callable[..., T], *arguments: Any) -> T:
    """Return what *hook* returns for *arguments*; whatever it raises is an `Exception` then."""
    try:
        return hook(*arguments)
    except Exception:
        raise
    except BaseException as error:
        raise failure_of(error) from error


def contained(steps: Generator[Awaitable[Any], Any, T]) -> Generator[Awaitable[Any], Any, T]:
    """Run *steps*, in which functions of the application are called: they raise nothing but an `Exception`.

    What the host throws is an outcome of what was awaited if it is an `Exception`. Else the host itself is
    cancelled, and that is raised as it is.
    """
    step: Callable[[Any], Awaitable[Any]] = steps.send
    outcome: Any = None
    cancelled: BaseException | None = None
    while True:
        try:
            awaitable = step(outcome)
        except StopIteration as stop:
            result: T = stop.value
            return result
        except Exception:
            raise
        except BaseException as error:
            if error is cancelled:
                raise
            raise failure_of(error) from error
        try:
            outcome = yield awaitable
        except GeneratorExit:
            steps.close()
            raise
        except BaseException as error:
            step, outcome = steps.throw, error
            cancelled = None if isinstance(error, Exception) else error
        else:
            step = steps.send


def tell(name: str, hooks: Iterable[SessionHook], session: Session, fail: Callable[..., None]) -> Pipeline:
    """Call *hooks*, which were registered as *name*, for *session*; *fail* is told what they raise."""
    for hook in hooks:
        try:
            result = call_hook(hook, session)
            if isawaitable(result):
                yield result
        except Exception as error:
            fail("hook.failed", error, hook=name, session=session.label)


class Hooks:
    """All hooks of one application."""

    __slots__ = (
        "_changed",
        "_renew",
        "authenticate",
        "conceal",
        "join",
        "leave",
        "publish",
        "services",
        "subscribe",
    )

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        """Begin with none; *changed* is called when `renew` may have changed."""
        self._changed = changed
        self._renew: Renew | None = None
        self.authenticate: Authenticate | None = None
        #: Takes credentials out of a message that is to be forwarded.
        self.conceal: Callable[[Message], None] | None = None
        self.publish: HookTable[PublishHook] = HookTable()
        self.subscribe: HookTable[SubscribeHook] = HookTable()
        self.services: HookTable[ServiceHook] = HookTable()
        self.join: list[SessionHook] = []
        self.leave: list[SessionHook] = []

    @property
    def renew(self) -> Renew | None:
        """What looks for fresh credentials in connects."""
        return self._renew

    @renew.setter
    def renew(self, renew: Renew | None) -> None:
        self._renew = renew
        self._changed()
