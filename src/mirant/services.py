"""Where an application's functions meet the bus: decorators, and the values that functions are given."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from types import SimpleNamespace
from typing import Any, Final, TypeVar, get_type_hints

import msgspec

from mirant.bayeux.channels import Channel, ChannelInvalid, Kind, Template
from mirant.bayeux.errors import FIELD_INVALID
from mirant.bayeux.messages import Delivery, Message
from mirant.bus.carrier import Request
from mirant.bus.core import Core
from mirant.bus.extension import Veto
from mirant.bus.guard import Guard
from mirant.bus.hooks import Parameters, Pipeline, ServiceHook, SessionHook
from mirant.bus.identity import Identity
from mirant.bus.refusal import Refusal
from mirant.bus.session import Session
from mirant.extensions.binary import BINARY_EXT, Binary, is_binary

F = TypeVar("F", bound=Callable[..., Any])

_encode = msgspec.json.Encoder().encode

log = logging.getLogger("mirant")


class RemoteError(Exception):
    """Raised by a remote call's function to answer that the call failed, with `data` saying why."""

    def __init__(self, data: object) -> None:
        super().__init__(data)
        self.data = data


#: What a caller is told when the application's code broke. The details are in the server's log.
_BROKEN: Final = {"code": 500, "message": "The call failed on the server."}


class Caller:
    """Who sent the message that a function is called for."""

    __slots__ = ("_core", "session")

    def __init__(self, core: Core, session: Session) -> None:
        self._core = core
        self.session = session

    @property
    def identity(self) -> Identity | None:
        """Who the client is; None if the bus does not authenticate."""
        return self.session.identity

    def deliver(self, channel: str, data: object) -> None:
        """Send *data* on *channel* to this client alone; it need not be subscribed.

        Raises:
            ChannelInvalid: *channel* is no channel name.
            ValueError: *channel* is a meta channel.
            TypeError: *data* has no JSON form.
        """
        self._core.deliver(self.session, delivery_of(deliverable_channel(channel), data))


class Handshake:
    """A client that wants in (Bayeux 1.0, section 4.1)."""

    __slots__ = ("_message", "request")

    def __init__(self, message: Message, request: Request) -> None:
        self._message = message
        #: The HTTP request it came with: headers, address, whether over TLS.
        self.request = request

    @property
    def ext(self) -> dict[str, Any]:
        """The `ext` field, where clients put credentials; empty if there is none."""
        return {name: msgspec.json.decode(raw) for name, raw in (self._message.ext or {}).items()}

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the message that Bayeux does not know."""
        return {name: msgspec.json.decode(raw) for name, raw in self._message.extra.items()}


class Function:
    """An application's function for the channels of one template, checked when it is registered."""

    __slots__ = ("_anything", "_binary", "_call", "_decode", "_takes_data")

    def __init__(self, call: Callable[..., Any], template: Template, *, takes_data: bool) -> None:
        """Wrap *call*, which takes the caller, the data (if *takes_data*) and each parameter by its name.

        Raises:
            TypeError: it takes something else, or data of a type that JSON cannot be decoded into.
        """
        name = getattr(call, "__qualname__", repr(call))
        expected = ["caller", *(["data"] if takes_data else []), *template.parameters]
        given = list(inspect.signature(call).parameters.values())
        fixed = 2 if takes_data else 1
        if len(given) < fixed or sorted(p.name for p in given[fixed:]) != sorted(template.parameters):
            raise TypeError(f"{name} should take ({', '.join(expected)}), because it is for {template.name}")
        self._call = call
        self._takes_data = takes_data
        kind = _data_type(call, name, given[1]) if takes_data else Any
        self._binary = kind is Binary
        self._decode = msgspec.json.Decoder(Any if self._binary else kind).decode
        # A function that takes anything gets bytes as such; one that takes raw JSON gets the JSON they are
        # in.
        self._anything = kind is Any

    def __call__(self, caller: Caller, message: Message | None, parameters: Parameters) -> Any:
        """Call the function; the message's data is decoded into the type that the function declares.

        Raises:
            Refusal: the data is not of that type.
        """
        if not self._takes_data or message is None:
            return self._call(caller, **parameters)
        try:
            if self._binary or (self._anything and is_binary(message)):
                data = Binary.from_wire(bytes(message.data))
            else:
                data = self._decode(message.data or b"null")
        except ValueError as error:
            raise Refusal(FIELD_INVALID, "data") from error
        return self._call(caller, data, **parameters)


def _data_type(call: Callable[..., Any], name: str, parameter: inspect.Parameter) -> Any:
    """Return the type that *parameter* of *call* is declared to have; other annotations are not looked at."""
    if parameter.annotation in (inspect.Parameter.empty, object, "object"):
        return Any
    function = inspect.unwrap(getattr(call, "func", call))  # of a functools.partial, what it calls
    if not hasattr(function, "__globals__"):
        function = type(function).__call__
    only_data = SimpleNamespace(__annotations__={"data": parameter.annotation})
    try:
        hint = get_type_hints(only_data, getattr(function, "__globals__", None))["data"]
    except NameError as error:
        raise TypeError(f"{name}: the type of {parameter.name} is not known where it runs: {error}") from None
    if hint is Binary:
        return Binary
    if isinstance(msgspec.inspect.type_info(hint), msgspec.inspect.CustomType):
        raise TypeError(f"{name}: JSON cannot be decoded into {hint!r}, which {parameter.name} should be")
    return hint


def _service_route(text: str) -> Template:
    """Return the channels of a service that an application calls *text*."""
    if not text.startswith("/") or Template(text).segments[0] == "service":
        raise ChannelInvalid(text, "a service's name begins with a slash, and /service is put before it")
    return Template("/service" + text)


def _broadcast_route(text: str) -> Template:
    """Return the channels *text*, which must be such as are published to."""
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

        The function takes ``(caller, data, *parameters)``; what it returns is the answer, `RemoteError` a
        failure. Calls of one client may overlap; if its session ends, an ``async`` function runs on, and its
        answer goes nowhere. When the bus closes it is cancelled.

        Raises:
            ChannelInvalid: the template is no channel name.
            TypeError: the function does not take the template's parameters.
        """

        def register(call: F) -> F:
            route = _service_route(template)
            function = Function(call, route, takes_data=True)

            def answer(
                session: Session, channel: Channel, message: Message, parameters: Parameters
            ) -> Pipeline:
                caller = Caller(self._core, session)
                return _answer(
                    self._core, caller, channel, message, lambda: function(caller, message, parameters)
                )

            self._add_service(route, answer)
            return call

        return register

    def service(self, template: str) -> Callable[[F], F]:
        """Take messages on a service channel: ``service("/chat/join")`` is for ``/service/chat/join``.

        The function takes ``(caller, data, *parameters)``; what it returns is ignored.
        """

        def register(call: F) -> F:
            route = _service_route(template)
            function = Function(call, route, takes_data=True)

            def take(
                session: Session, channel: Channel, message: Message, parameters: Parameters
            ) -> Pipeline:
                result = function(Caller(self._core, session), message, parameters)
                if isawaitable(result):
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

        The function takes ``(caller, data, *parameters)``. It returns None to let the message pass as it is,
        other data to replace it, or raises `Veto`. An exception refuses the message too.
        """

        def register(call: F) -> F:
            route = _broadcast_route(template)
            function = Function(call, route, takes_data=True)

            def see(
                session: Session, channel: Channel, message: Message, parameters: Parameters
            ) -> Awaitable[None] | None:
                result = function(Caller(self._core, session), message, parameters)
                if isawaitable(result):
                    return _replace_later(message, result)
                _replace(message, result)
                return None

            self._core.hooks.publish.add(route, see)
            return call

        return register

    def on_subscribe(self, template: str) -> Callable[[F], F]:
        """Decide on subscriptions: the function takes ``(caller, *parameters)`` and may raise `Veto`.

        A wildcard subscription that covers a channel with such a function is refused: it would get round it.
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

        None, `Veto` and other exceptions deny. Without such a function everybody is let in, without identity.

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
        hook: SessionHook = call
        self._core.hooks.join.append(hook)
        return call

    def on_leave(self, call: F) -> F:
        """Call *call* with each `Session` that ended: its client disconnected, expired or was too slow."""
        hook: SessionHook = call
        self._core.hooks.leave.append(hook)
        return call


def _identified(identity: object) -> Identity:
    if isinstance(identity, Identity):
        return identity
    raise Veto


def _answer(
    core: Core, caller: Caller, channel: Channel, message: Message, call: Callable[[], Any]
) -> Pipeline:
    """Make the remote call and deliver its answer, which bears the request's id (the reply has no data)."""
    successful = False
    try:
        data = call()
        if isawaitable(data):
            data = yield data
        successful = True
    except RemoteError as error:
        data = error.data
    except Refusal as refusal:
        data = {"code": refusal.error.code, "message": str(refusal.__cause__ or refusal)}
    except Veto as veto:
        data = {"code": 403, "message": str(veto)}
    except Exception:
        log.exception("call.failed channel=%s session=%s", channel.name, caller.session.id[:8])
        data = _BROKEN
    core.deliver(caller.session, _answer_of(channel, message, data, successful=successful))


def _answer_of(channel: Channel, message: Message, data: object, *, successful: bool) -> Delivery:
    fields: dict[str, object] = {} if message.id is None else {"id": message.reply_id}
    if isinstance(data, msgspec.Raw) and is_binary(message):
        fields["ext"] = BINARY_EXT  # raw JSON in, raw JSON out: it is what it was
    try:
        return delivery_of(channel, data, **fields, successful=successful)
    except Exception:  # the encoder calls code of the application for its own types
        log.exception("call.failed channel=%s: the answer has no JSON form", channel.name)
        return Delivery.of(channel, _BROKEN, **fields, successful=False)


def _replace(message: Message, data: object) -> None:
    if data is None:
        return
    if isinstance(data, bytes | bytearray | memoryview):
        data = Binary(bytes(data))
    if is_binary(message) and not isinstance(
        data, msgspec.Raw
    ):  # raw JSON in, raw JSON out: it is what it was
        message.ext = {name: raw for name, raw in (message.ext or {}).items() if name not in BINARY_EXT}
    if isinstance(data, Binary):
        data = data.to_wire()
        message.ext = {**(message.ext or {}), **{name: msgspec.Raw(b"{}") for name in BINARY_EXT}}
    message.data = msgspec.Raw(_encode(data))


async def _replace_later(message: Message, result: Awaitable[object]) -> None:
    _replace(message, await result)


def delivery_of(channel: Channel, data: object, **fields: object) -> Delivery:
    """Return the delivery of *data*, which may be `Binary` or bytes, with further *fields* of the message.

    Raises:
        TypeError: *data* has no JSON form.
    """
    if isinstance(data, bytes | bytearray | memoryview):
        data = Binary(bytes(data))
    if isinstance(data, Binary):
        data, fields["ext"] = data.to_wire(), BINARY_EXT
    return Delivery.of(channel, data, **fields)


def filtered(guard: Guard, channel: Channel, data: object) -> object:
    """Return what the filters of *channel* leave of *data*, which the application publishes.

    Raises:
        Veto: nothing.
        TypeError: *data* has no JSON form.
    """
    if isinstance(data, Binary | bytes | bytearray | memoryview):
        return data  # no text that a filter could be for
    chain = guard.chain(channel)
    if chain is None:
        return data
    try:
        raw = _encode(data)
    except (ValueError, OverflowError, RecursionError) as error:
        raise TypeError(f"this has no JSON form: {error}") from error
    return msgspec.Raw(chain(raw))


def broadcast_channel(name: str) -> Channel:
    """Return the channel *name*, which must be one that messages are distributed on.

    Raises:
        ChannelInvalid: it is no channel name.
        ValueError: it is a meta or service channel.
    """
    channel = Channel.parse(name)
    if channel.kind is not Kind.BROADCAST:
        raise ValueError(f"{name} is a {channel.kind.value} channel; nothing is distributed on those")
    return channel


def deliverable_channel(name: str) -> Channel:
    """Return the channel *name*, on which single clients may be sent something.

    Raises:
        ChannelInvalid: it is no channel name.
        ValueError: it is a meta channel; clients would take the message for the bus's own.
    """
    channel = Channel.parse(name)
    if channel.kind is Kind.META:
        raise ValueError(f"{name} is a meta channel; only the bus itself speaks there")
    return channel
