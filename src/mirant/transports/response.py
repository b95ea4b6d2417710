"""What is answered to an HTTP request, before a host makes bytes of it."""

from __future__ import annotations

from dataclasses import dataclass

#: Names and values, in the order in which they are sent.
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered to a request. `headers` come beside the content type and length, which are implied."""

    status: int
    body: bytes
    content_type: str = "application/json;charset=utf-8"
    headers: Headers = ()


def refuse(status: int, sentence: str, *headers: tuple[str, str]) -> Response:
    """Return the response to a request that is not Bayeux: *status* and a sentence for a person."""
    return Response(status, f"{sentence}\n".encode(), "text/plain;charset=utf-8", headers)
