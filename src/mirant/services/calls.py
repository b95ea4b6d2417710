"""Remote calls: turning a function's result or exception into the caller's answer."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import Any, Final

import msgspec

from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Delivery, Message
from mirant.bus.core import Core
from mirant.bus.hooks import Pipeline, call_hook
from mirant.bus.refusal import Refusal
from mirant.bus.session import Session
from mirant.bus.veto import Veto
from mirant.extensions.binary import BINARY_EXT, is_binary
from mirant.services.function import RemoteError
from mirant.services.outgoing import delivery_of

#: The answer when the application's code raised an exception. The details are in the server's log.
_BROKEN: Final = {"code": 500, "message": "The call failed on the server."}

_MARK: Final = msgspec.Raw(b"{}")


def answer_call(
    core: Core, session: Session, channel: Channel, message: Message, call: Callable[[], Any]
) -> Pipeline:
    """Make the remote call and deliver its answer, which has the request's id. (The reply has no data.)"""
    successful = False
    try:
        data = call_hook(call)
        if isawaitable(data):
            message = _brief(message)
            del call  # it refers to the whole message, and the function may take long
            data = yield data
        successful = True
    except RemoteError as error:
        data = error.data
    except Refusal as refusal:
        data = {"code": refusal.error.code, "message": str(refusal.__cause__ or refusal)}
    except Veto as veto:
        data = {"code": 403, "message": veto.reason}
    except Exception as error:
        core.observers.fail("call.failed", error, channel=channel.name, session=session.label)
        data = _BROKEN
    _deliver(core, session, _answer_of(core, channel, message, data, successful=successful))


def _brief(message: Message) -> Message:
    """Return what an answer needs of *message*: fields take more than was sent, and keep a body alive."""
    return Message(id=message.id, ext=dict.fromkeys(BINARY_EXT, _MARK) if is_binary(message) else None)


def _deliver(core: Core, session: Session, answer: Delivery) -> None:
    """Deliver *answer*; if an extension of the bus fails, without its help. The caller waits for it."""
    try:
        core.deliver(session, answer)
    except Exception as error:
        core.observers.fail("extension.failed", error, channel=answer.channel, session=session.label)
        core.hub.recall(session, answer)


def _answer_of(core: Core, channel: Channel, message: Message, data: object, *, successful: bool) -> Delivery:
    fields: dict[str, object] = {} if message.id is None else {"id": message.reply_id}
    if isinstance(data, msgspec.Raw) and is_binary(message):
        fields["ext"] = BINARY_EXT  # the function got the envelope of binary data, and returned one
    try:
        return delivery_of(channel, data, **fields, successful=successful)
    except Exception as error:  # the encoder calls code of the application for its own types
        core.observers.fail("call.failed", error, channel=channel.name, reason="the answer has no JSON form")
        return Delivery.of(channel, _BROKEN, **fields, successful=False)
