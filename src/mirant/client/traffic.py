"""What a client sends, the requests that wait for replies, and the events for the application."""

from __future__ import annotations

from collections.abc import Callable

from mirant.bayeux.client_messages import ServerMessage
from mirant.client.events import ClientEvent, RequestAnswered, RequestFailed, RequestRefused
from mirant.client.requests import PendingRequest, PendingRequests
from mirant.client.sending import SendQueue


class Traffic:
    """Sends requests and keeps each until exactly one event has said what became of it."""

    def __init__(self, network_delay: float) -> None:
        self.requests = PendingRequests()
        self.sending = SendQueue()
        self.events: list[ClientEvent] = []
        self.network_delay = network_delay

    def ask(
        self,
        channel: str,
        now: float,
        write: Callable[[str], bytes],
        *,
        subscription: str | None = None,
        path: str | None = None,
        held: float = 0.0,
    ) -> str:
        """Send what *write* makes of a new id, and return the id.

        With a *path* the message travels alone. Its reply is overdue *held* seconds later than others.
        """
        message_id = self.requests.next_id()
        message = write(message_id)
        deadline = now + held + self.network_delay
        self.requests.add(PendingRequest(message_id, channel, deadline, subscription))
        if path is None:
            self.sending.add(message_id, message)
        else:
            self.sending.add_alone(message_id, message, path)
        return message_id

    def emit(self, event: ClientEvent) -> None:
        """Tell the application."""
        self.events.append(event)

    def settle(self, request: PendingRequest, reply: ServerMessage) -> str | None:
        """Tell the application what the server said to *request*; return the error if it refused."""
        if not reply.successful:
            return self.refuse(request, reply)
        self.emit(RequestAnswered(request, reply))
        return None

    def refuse(self, request: PendingRequest, reply: ServerMessage, error: str | None = None) -> str:
        """Tell the application that *request* was refused, with *error* or the server's; return which."""
        error = error or reply.error or "refused without a reason"
        self.emit(RequestRefused(request, error, reply))
        return error

    def fail_all(self, reason: str) -> None:
        """Give up every request, whether it was sent or still is to be."""
        self.sending.clear()
        for request in self.requests.take_all():
            self.emit(RequestFailed(request, reason))
