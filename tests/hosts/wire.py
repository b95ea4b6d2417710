"""A client that writes and reads HTTP byte by byte."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self


class Wire:
    """A connection on which requests are written byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    @asynccontextmanager
    async def to(cls, url: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Self]:
        """Connect to the server at *url*."""
        host, port = url.split("/")[2].split(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=tls)
        try:
            yield cls(reader, writer)
        finally:
            writer.transport.abort()

    async def response(self) -> tuple[int, dict[str, str], bytes]:
        """Read one response: its status, its headers and its body."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(head[0].split()[1]), headers, body

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send *request* and read the response."""
        self.writer.write(request)
        return await self.response()

    async def messages(self) -> Any:
        """Read one response and return the messages in it."""
        status, _, body = await self.response()
        assert status == 200, body
        return json.loads(body)


def post(body: bytes, path: str = "/cometd", *headers: str) -> bytes:
    """Return the bytes of a POST."""
    lines = [f"POST {path} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
