"""What a handshake gave: the session's id, and the number of the last answer seen if it acknowledges."""

from __future__ import annotations

from mirant.bayeux import client_messages
from mirant.bayeux.client_messages import ServerMessage


class ClientSession:
    """One session, as the client knows it. It writes the session's connects."""

    def __init__(self, client_id: str, connection_type: str, acknowledged: int | None) -> None:
        self.client_id = client_id
        #: The last batch received whole (CometD's ack extension); None without the extension.
        self.acknowledged = acknowledged
        self._connection_type = connection_type
        self._before, self._after = client_messages.connect_around_id(client_id, connection_type)

    def connect(self, message_id: str, timeout: int | None = None) -> bytes:
        """Return a /meta/connect; *timeout* is how many milliseconds it may be held, None as advised."""
        if timeout is None and self.acknowledged is None:
            # Nearly all connects of polling clients: 0.1 µs, where encoding takes 0.3.
            return b"%b%b%b" % (self._before, message_id.encode("ascii"), self._after)
        ext = None if self.acknowledged is None else {"ack": self.acknowledged}
        return client_messages.connect(
            message_id, self.client_id, self._connection_type, timeout=timeout, ext=ext
        )

    def note_batch(self, reply: ServerMessage) -> None:
        """Keep the number of the batch that ends with *reply*, a successful one to a connect."""
        if self.acknowledged is not None and reply.ext is not None:
            batch = _batch(reply.ext.get("ack"))
            self.acknowledged = self.acknowledged if batch is None else batch


def agreed_batch(reply: ServerMessage) -> int | None:
    """Return the batch to acknowledge first if the server agreed to acknowledge in its *reply*; else None."""
    ack = (reply.ext or {}).get("ack")
    if isinstance(ack, dict):  # a server that delivers with the handshake: {"enabled": true, "batch": 1}
        return (_batch(ack.get("batch")) or 0) if ack.get("enabled") is True else None
    return 0 if ack is True else None


def _batch(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
