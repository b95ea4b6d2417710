"""Where an application is mounted: each server and framework says it in another way.

`root_path` is the prefix in the addresses that clients use. Whether `path` begins with it differs:

| who | `root_path` | `path` |
|---|---|---|
| uvicorn, for a prefix that a proxy strips | the prefix | with the prefix |
| hypercorn, granian, daphne, `FastAPI(root_path=…)` | the prefix | as the request has it |
| Starlette's mounts | the prefix and the mount | as before; `app_root_path` has the prefix alone |
| Litestar's mounts | the prefix, without the mount | below the mount; `raw_path` is the whole |
| channels' routers | the prefix, without the route | as before; `path_remaining` is below the route |

A proxy that does not strip the prefix is served too, where the table allows to see it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from mirant.hosts.asgi.scope import Scope, is_below

_SLASHES: Final = re.compile("//+")


def split_path(scope: Scope) -> tuple[str, str]:
    """Return where the application is for its clients, and what of the path of *scope* is below that."""
    base, below = _split(scope)
    # Starlette joins "/api/" and "/cometd" to "/api//cometd". And "//name" would be another host.
    return (_SLASHES.sub("/", base) if "//" in base else base), below


def _split(scope: Scope) -> tuple[str, str]:
    root, path = scope.get("root_path", "").rstrip("/"), scope["path"]
    if "path_remaining" in scope:
        return _below_router(scope, root, path)
    if is_below(path, root):
        # Litestar's path is below the mount, and its root_path names no mount: both may be empty.
        return (root, path[len(root) :]) if root else _below_raw(scope, root, path)
    prefix = scope.get("app_root_path", "").rstrip("/")
    mount = root[len(prefix) :]
    if prefix and is_below(root, prefix) and is_below(path, mount):
        return root, path[len(mount) :]
    return _below_raw(scope, root, path)


def mounted(scope: Scope, path: str) -> Scope:
    """Return *scope* for an application that is mounted at *path*, below the one that *scope* is for.

    Its `path` begins with its `root_path`, as it should.
    """
    base, below = split_path(scope)
    inner = {**scope, "root_path": base + path, "path": base + below}
    inner.pop("path_remaining", None)  # it is about a path that is another one now
    return inner


def _below_raw(scope: Scope, root: str, path: str) -> tuple[str, str]:
    """Tell a mount by what *path* lacks of the path that the client sent."""
    whole = unquote((scope.get("raw_path") or b"").decode("latin-1")).rstrip("/")
    below = path.rstrip("/")
    if not whole.endswith(below) or whole in (below, root + below):
        return root, path
    mount = whole[: len(whole) - len(below)]
    return _public(root, mount), below


def _below_router(scope: Scope, root: str, path: str) -> tuple[str, str]:
    """Tell a mount by what the routers of channels have left, or have read as the last parameter."""
    route = scope.get("url_route") or {}
    for rest in (
        scope["path_remaining"],
        *_texts(route.get("kwargs", {}).values()),
        *_texts(route.get("args", ())),
    ):
        before = path[: len(path) - len(rest)]
        if rest and before + rest == path and (before.endswith("/") or rest.startswith("/")):
            return _public(root, before.rstrip("/")), "/" + rest.lstrip("/")
    mount = path.rstrip("/")
    return _public(root, mount), ""


def _public(root: str, mount: str) -> str:
    """Return the address of a *mount* below *root*, unless one of the two contains the other already."""
    if is_below(mount, root):
        return mount
    return root if root.endswith(mount) else root + mount


def _texts(values: Iterable[object]) -> list[str]:
    return [value for value in values if isinstance(value, str)]
