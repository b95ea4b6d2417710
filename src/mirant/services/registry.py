"""Where an application's functions meet the bus: decorators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, TypeVar

import msgspec

from mirant.bayeux.channels import Channel, ChannelInvalid, Template
from mirant.bayeux.messages import Message
from mirant.bus.core import Core
from mirant.bus.hooks import Parameters, Pipeline, ServiceHook, SessionHook, call_hook
from mirant.bus.identity import Identity
from mirant.bus.party import Party
from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.bus.veto import Veto
from mirant.extensions.binary import BINARY_EXT, Binary, is_binary
from mirant.services.calls import answer_call
from mirant.services.face import SessionFace
from mirant.services.function import Caller, Function, Handshake

F = TypeVar("F", bound=Callable[..., Any])

_encode = msgspec.json.Encoder().encode


def _service_route(text: str) -> Template:
    """Return the template of a service that an application calls *text*."""
    if not text.startswith("/") or Template(text).segments[0] == "service":
        raise ChannelInvalid(text, "a service's name begins with a slash, and /service is put before it")
    return Template("/service" + text)


def _broadcast_route(text: str) -> Template:
    """Return the template *text*, whose channels must be ones that clients publish to."""
    template = Template(text)
    if template.segments[0] in ("meta", "service"):
        raise ChannelInvalid(text, "nothing is published or subscribed to below /meta and /service")
    return template


class Services:
    """The decorators of a bus. A function may be plain or ``async``; a plain one must not block."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def rpc(self, template: str) -> Callable[[F], F]:
        """Answer remote calls: ``rpc("/weather/{city}")`` is for ``call("weather/paris")`` of a client.

        The function takes ``(caller, data, *parameters)``. It returns the answer, or raises `RemoteError` to
        answer with a failure. Calls of one client may overlap. If the session ends, an ``async`` function
        runs on and its answer is discarded. When the bus closes the function is cancelled.

        Raises:
            ChannelInvalid: the template is not a channel name.
            TypeError: the function does not take the template's parameters.
        """

        def register(call: F) -> F:
            route = _service_route(template)
            function = Function(call, route, takes_data=True)

            def answer(
                session: Session, channel: Channel, message: Message, parameters: Parameters
            ) -> Pipeline:
                caller = Caller(self._core, session)
                return answer_call(
                    self._core, session, channel, message, lambda: function(caller, message, parameters)
                )

            self._add_service(route, answer)
            return call

        return register

    def service(self, template: str) -> Callable[[F], F]:
        """Take messages on a service channel: ``service("/chat/join")`` is for ``/service/chat/join``.

        The function takes ``(caller, data, *parameters)``. Its result is ignored.
        """

        def register(call: F) -> F:
            route = _service_route(template)
            function = Function(call, route, takes_data=True)

            def take(
                session: Session, channel: Channel, message: Message, parameters: Parameters
            ) -> Pipeline:
                result = call_hook(function, Caller(self._core, session), message, parameters)
                if isawaitable(result):
                    del message  # it may be large, and the function may take long
                    yield result

            self._add_service(route, take)
            return call

        return register

    def _add_service(self, route: Template, hook: ServiceHook) -> None:
        if route.name in self._core.hooks.services:
            raise ValueError(f"there is a function for {route.name} already")
        self._core.hooks.services.add(route, hook)

    def on_publish(self, template: str) -> Callable[[F], F]:
        """See what clients publish to a channel before anybody gets it.

        The function takes ``(caller, data, *parameters)``; the channel's filters have run on the data. It
        returns None to let the message pass as it is, or other data to replace it, which is filtered too. It
        raises `Veto` to refuse the message; any other exception also refuses it. After an ``async`` function
        the rules and the session are checked again.
        """

        def register(call: F) -> F:
            route = _broadcast_route(template)
            function = Function(call, route, takes_data=True)

            def see(
                party: Party, channel: Channel, message: Message, parameters: Parameters
            ) -> Awaitable[None] | None:
                result = function(Caller(self._core, party), message, parameters)
                if isawaitable(result):
                    return _replace_later(message, result)
                _replace(message, result)
                return None

            self._core.hooks.publish.add(route, see)
            return call

        return register

    def on_subscribe(self, template: str) -> Callable[[F], F]:
        """Decide on subscriptions: the function takes ``(caller, *parameters)`` and may raise `Veto`.

        A wildcard subscription that covers a channel with such a function is refused, because it would evade
        it.
        """

        def register(call: F) -> F:
            route = _broadcast_route(template)
            function = Function(call, route, takes_data=False)

            def decide(session: Session, parameters: Parameters) -> Awaitable[None] | None:
                result: Awaitable[None] | None = function(Caller(self._core, session), None, parameters)
                return result

            self._core.hooks.subscribe.add(route, decide)
            return call

        return register

    def authenticate(self, call: F) -> F:
        """Let *call* decide who may handshake: it takes a `Handshake` and returns an `Identity`.

        None, `Veto` and other exceptions deny. Without such a function everybody is admitted, without
        identity.

        Raises:
            ValueError: the policy file says already how clients prove who they are.
        """
        if self._core.hooks.authenticate is not None:
            raise ValueError(
                "there is an authentication already: @authenticate, [token] or [proxy]; keep one"
            )

        async def wait(identity: Awaitable[object]) -> Identity:
            return _identified(await identity)

        def authenticate(message: Message, request: Request) -> Identity | Awaitable[Identity]:
            identity = call(Handshake(message, request))
            return wait(identity) if isawaitable(identity) else _identified(identity)

        self._core.hooks.authenticate = authenticate
        return call

    def on_join(self, call: F) -> F:
        """Call *call* with each new `Session`, before its client knows of it.

        This is the place to set what holds for one session, such as ``session.timeout`` or its extensions.
        """
        self._core.hooks.join.append(_with_face(call))
        return call

    def on_leave(self, call: F) -> F:
        """Call *call* with each `Session` that ended: its client disconnected, expired or was too slow."""
        self._core.hooks.leave.append(_with_face(call))
        return call


def _with_face(call: Callable[[SessionFace], Awaitable[None] | None]) -> SessionHook:
    """Return the hook that gives *call* a session as applications see it."""

    def tell(session: Session) -> Awaitable[None] | None:
        return call(SessionFace(session))

    return tell


def _identified(identity: object) -> Identity:
    if isinstance(identity, Identity):
        return identity
    raise Veto


def _replace(message: Message, data: object) -> None:
    if data is None:
        return
    if isinstance(data, bytes | bytearray | memoryview):
        data = Binary(bytes(data))
    is_raw = isinstance(data, msgspec.Raw)  # the function got the envelope of binary data, and returned one
    if is_binary(message) and not is_raw:
        message.ext = {name: raw for name, raw in (message.ext or {}).items() if name not in BINARY_EXT}
    if isinstance(data, Binary):
        data = data.to_wire()
        message.ext = {**(message.ext or {}), **{name: msgspec.Raw(b"{}") for name in BINARY_EXT}}
    message.data = msgspec.Raw(_encode(data))


async def _replace_later(message: Message, result: Awaitable[object]) -> None:
    _replace(message, await result)
