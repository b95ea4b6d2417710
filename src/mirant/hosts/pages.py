"""The files that a bus serves to browsers by GET: its client, a landing page or an application's own."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from mirant.transports.response import Response, refuse

#: What a page may do. Everything it needs comes from here; scripts and styles are files, never inline.
#: CometD's client keeps its timers in a worker that it makes of a blob; where that is forbidden it gets no
#: error and waits for ever. Only a script that runs already can make a blob, and the worker is under the same
#: policy.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; worker-src 'self' blob:; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)

_HEADERS: Final = (
    ("cache-control", "no-cache"),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
)

_TYPES: Final = {
    ".html": "text/html;charset=utf-8",
    ".css": "text/css;charset=utf-8",
    ".js": "text/javascript;charset=utf-8",
    ".mjs": "text/javascript;charset=utf-8",
    ".ts": "text/plain;charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One file, ready to be sent; ``{{base}}`` in it stands for the path at which the bus is mounted."""

    content: bytes
    content_type: str

    def rendered(self, base: str) -> bytes:
        """Return the content for a bus mounted at *base*."""
        # Escaped: a mount's path may have parameters, and then the client chose part of it.
        return self.content.replace(b"{{base}}", escape(base).encode())


class Pages:
    """Files by the path below the bus's mount: read once, then served from memory.

    The browser client is ``mirant.js`` and the folder ``mirant/`` of the modules that it imports.
    """

    def __init__(
        self, folder: Path | Traversable | None = None, *, policy: str = CONTENT_SECURITY_POLICY
    ) -> None:
        """Serve the browser client, and what is in *folder*; without one, a landing page.

        *policy* is the Content-Security-Policy of all of them.

        Raises:
            ValueError: *policy* cannot be the value of a header.
        """
        if not policy.isascii() or not policy.isprintable():
            raise ValueError(f"the content security policy has to be one line of ASCII, not {policy!r}")
        self._headers = (*_HEADERS, ("content-security-policy", policy))
        self._pages: dict[str, Page] = {}
        client = _client_folder()
        self._add_files(client)
        # A folder, so that no file of an application takes the place of a module.
        self._add_files(client / "mirant", below="mirant/")
        self._add_files(folder or files("mirant.hosts") / "landing")

    def respond(self, path: str, base: str, known_tag: str | None) -> Response:
        """Return the page at *path* for a bus mounted at *base*, or a refusal.

        *path* is below the mount: ``/chat``, ``/mirant.js`` or ``/mirant/session.js``.
        *known_tag* is the entity tag of what the browser has already.
        """
        page = self._pages.get(path.strip("/"))
        if page is None:
            return refuse(404, f"There is no page {path}. Bayeux messages are sent to {base or '/'} by POST.")
        content = page.rendered(base)
        headers = (*self._headers, ("etag", etag(content)))
        if known_tag == etag(content):
            return Response(304, b"", page.content_type, headers)
        return Response(200, content, page.content_type, headers)

    def _add_files(self, folder: Path | Traversable, below: str = "") -> None:
        for file in folder.iterdir():
            stem, dot, suffix = file.name.rpartition(".")
            if not file.is_file() or dot + suffix not in _TYPES:
                continue
            name = file.name
            if suffix == "html":  # pages have addresses without a suffix; index.html is the mount itself
                name = "" if stem == "index" else stem
            self._pages[below + name] = Page(file.read_bytes(), _TYPES[dot + suffix])


def etag(content: bytes) -> str:
    """Return the entity tag of *content*."""
    return f'"{sha256(content).hexdigest()[:20]}"'


def _client_folder() -> Path | Traversable:
    packed = files("mirant") / "js"
    if packed.is_dir():
        return packed
    return Path(__file__).parents[3] / "js"  # a source tree: the client lives beside src
