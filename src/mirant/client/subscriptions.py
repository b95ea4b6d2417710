"""What an application is subscribed to, whatever becomes of sessions and connections."""

from __future__ import annotations


class WantedSubscriptions:
    """Channels and patterns. Each is one of three: to be asked for, asked for, or granted by the server."""

    def __init__(self) -> None:
        self._new: dict[str, None] = {}  # in the order in which they were wanted
        self._asked: dict[str, None] = {}
        self._granted: dict[str, None] = {}

    @property
    def granted(self) -> frozenset[str]:
        """What the server has granted to the present session."""
        return frozenset(self._granted)

    @property
    def is_settled(self) -> bool:
        """Whether the server has granted all that is wanted."""
        return not self._new and not self._asked

    @property
    def has_new(self) -> bool:
        """Whether anything is to be asked for."""
        return bool(self._new)

    def want(self, name: str) -> None:
        """Note that the application wants *name*."""
        if name not in self._asked and name not in self._granted:
            self._new[name] = None

    def drop(self, name: str) -> bool:
        """Forget *name*; return whether the server has to be told."""
        is_known = name in self._asked or name in self._granted
        for names in (self._new, self._asked, self._granted):
            names.pop(name, None)
        return is_known

    def take_new(self) -> list[str]:
        """Return what is to be asked for; from now on it is asked for."""
        taken = list(self._new)
        self._asked.update(self._new)
        self._new.clear()
        return taken

    def grant(self, name: str) -> None:
        """Note that the server has granted *name*."""
        if name in self._asked:
            del self._asked[name]
            self._granted[name] = None

    def refuse(self, name: str) -> None:
        """Note that the server has refused *name*: it is not asked for again."""
        self._asked.pop(name, None)

    def ask_again(self, name: str | None = None) -> None:
        """Note that no reply will come to the request for *name*, or to any if there is no name."""
        for asked in [asked for asked in self._asked if name is None or asked == name]:
            del self._asked[asked]
            self._new[asked] = None

    def begin_again(self) -> None:
        """Note that the session is gone: everything is to be asked for."""
        self._new = {**self._granted, **self._asked, **self._new}
        self._asked.clear()
        self._granted.clear()
