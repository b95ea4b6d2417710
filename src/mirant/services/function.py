"""An application's functions, and the values that they are given."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, get_type_hints

import msgspec

from mirant.bayeux.channels import Template
from mirant.bayeux.errors import FIELD_INVALID
from mirant.bayeux.messages import Message
from mirant.bus.core import Core
from mirant.bus.hooks import Parameters
from mirant.bus.identity import Identity
from mirant.bus.party import Party
from mirant.bus.refusal import Refusal
from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.extensions.binary import Binary, is_binary
from mirant.services.face import SessionFace
from mirant.services.outgoing import deliverable_channel, delivery_of


class RemoteError(Exception):
    """Raised by a remote call's function to answer that the call failed, with `data` saying why."""

    def __init__(self, data: object) -> None:
        super().__init__(data)
        self.data = data


class Caller:
    """Who sent the message that a function is called for: a client with a session, or a caller of an API."""

    __slots__ = ("_core", "_party")

    def __init__(self, core: Core, party: Party) -> None:
        self._core = core
        self._party = party

    @property
    def has_session(self) -> bool:
        """Whether it is a client with a session. Only `on_publish` also sees others."""
        return isinstance(self._party, Session)

    @property
    def session(self) -> SessionFace:
        """The session that it came from.

        Raises:
            LookupError: it has none, as `has_session` says.
        """
        return SessionFace(self._own_session())

    @property
    def identity(self) -> Identity | None:
        """Who it is; None if the bus does not authenticate."""
        return self._party.identity

    @property
    def address(self) -> str | None:
        """The IP address that it spoke from at first, as far as it is known."""
        return self._party.address

    def deliver(self, channel: str, data: object) -> None:
        """Send *data* on *channel* to this client alone; it need not be subscribed.

        Raises:
            ChannelInvalid: *channel* is not a channel name.
            ValueError: *channel* is a meta channel.
            TypeError: *data* has no JSON form.
            LookupError: it has no session, as `has_session` says.
            RuntimeError: this is not the event loop that serves the bus, such as in another thread.
        """
        self._core.check()  # before anything is changed
        self._core.deliver(self._own_session(), delivery_of(deliverable_channel(channel), data))

    def _own_session(self) -> Session:
        if isinstance(self._party, Session):
            return self._party
        raise LookupError("this caller has no session; ask `caller.has_session` first")


class Handshake:
    """A client's request for a session (Bayeux 1.0, section 4.1)."""

    __slots__ = ("_message", "request")

    def __init__(self, message: Message, request: Request) -> None:
        self._message = message
        #: The HTTP request that it came with: its headers, the address, and whether it came over TLS.
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
        # Declared Any: binary data arrives as `Binary`. Declared `msgspec.Raw`: it arrives as its JSON
        # envelope.
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
    """Return the type that *parameter* of *call* is declared to have. Other annotations are not evaluated."""
    if parameter.annotation in (inspect.Parameter.empty, object, "object"):
        return Any
    function = inspect.unwrap(getattr(call, "func", call))  # the function behind a functools.partial
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
