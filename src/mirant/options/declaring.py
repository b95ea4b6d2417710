"""Options: each declared once, with its table, the kind of its value, its default and a sentence about it.

A frozen dataclass declares the options of some tables of a file. From the declaration come reading and
checking (`mirant.options.reading`), the names of environment variables and the reference page::

    @dataclass(frozen=True, slots=True, kw_only=True)
    class MailOptions:
        host: str | None = option("mail", "text", "Where mail is sent.", default=None)
        from_: str = option("mail", "text", "Whom it is from.", default="bus", name="from")

        def __post_init__(self) -> None:
            check_options(self)
"""

from __future__ import annotations

import json
import re
from dataclasses import Field, dataclass, field, fields
from typing import Any, Final, TypeAlias

from mirant.options.kinds import KINDS, OptionKind
from mirant.options.quoting import printable, spell
from mirant.options.values import SettingsError

#: Where something is in a file: keys of tables and indexes of arrays, from the outermost.
KeyPath: TypeAlias = tuple[str | int, ...]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one key of a file: its place, and a sentence with what would be right."""

    path: KeyPath
    sentence: str
    #: The environment variable that it is about, instead of the file.
    variable: str | None = None
    #: The line, from 1, if there is no path because the file is not TOML.
    line: int | None = None

    @property
    def where(self) -> str:
        """The variable, or the path as one writes it: ``channel[0].filters[1].regex``."""
        return self.variable or spell_path(self.path)

    def __str__(self) -> str:
        return printable(f"{self.where}: {self.sentence}" if self.where else self.sentence)


def spell_path(path: KeyPath) -> str:
    """Return *path* as one writes it, such as ``channel[0].match``; arrays count from 0."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{_spell_key(step)}" for step in path)
    return "".join(steps).removeprefix(".")


def _spell_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def option(
    table: str,
    kind: str | OptionKind,
    sentence: str,
    *,
    default: Any,
    name: str | None = None,
    secret: bool = False,
) -> Any:
    """Declare an attribute of a dataclass as an option of *table*.

    Args:
        table: the table of the file that it belongs to.
        kind: the values that it may have: a name in `KINDS`, or a kind of its own.
        sentence: what it does, for the reference page.
        default: its value if it is not given. None means that there is no value; a file cannot say that.
        name: its key in the file, if that is not the name of the attribute.
        secret: whether its value is kept out of messages, pages and the dataclass's own repr.
    """
    declared = {"table": table, "kind": kind, "sentence": sentence, "name": name, "secret": secret}
    return field(default=default, repr=not secret, metadata={"option": declared})


@dataclass(frozen=True, slots=True)
class Option:
    """An option, as it was declared."""

    attribute: str
    table: str
    name: str
    kind: OptionKind
    kind_name: str | None
    sentence: str
    default: Any
    secret: bool
    type: str

    @property
    def path(self) -> tuple[str, str]:
        """Its place in the file."""
        return (self.table, self.name)

    @property
    def variable(self) -> str:
        """The environment variable that overrides it, such as ``MIRANT_SESSION_TIMEOUT``."""
        return variable_prefix(self.table) + self.name.upper().replace("-", "_")

    def read(self, value: object) -> Any:
        """Return the attribute's value for a *value* of a file.

        Raises:
            SettingsError: *value* is wrong; the text says what it should be.
        """
        try:
            return self.kind.read(value)
        except SettingsError as error:
            raise SettingsError(f"{self.quote(value)} should be {error}") from None

    def quote(self, value: object) -> str:
        """Return *value* for a message, or "this" if it is secret."""
        return "this" if self.secret else spell(value)


def variable_prefix(table: str) -> str:
    """Return how the environment variables for the options in *table* begin."""
    return f"MIRANT_{table}_".upper().replace("-", "_")


def options_of(cls: type) -> tuple[Option, ...]:
    """Return the options that a dataclass declares, in their order."""
    return tuple(_declared(attribute) for attribute in fields(cls) if "option" in attribute.metadata)


def _declared(attribute: Field[Any]) -> Option:
    declared = dict(attribute.metadata["option"])
    kind = declared["kind"]
    declared["name"] = declared["name"] or attribute.name
    declared["kind"] = KINDS[kind] if isinstance(kind, str) else kind
    return Option(
        attribute=attribute.name,
        kind_name=kind if isinstance(kind, str) else None,
        default=attribute.default,
        type=attribute.type.__name__ if isinstance(attribute.type, type) else str(attribute.type),
        **declared,
    )


def check_options(values: Any) -> None:
    """Check each option of a dataclass that was made in code; call it from ``__post_init__``.

    Raises:
        SettingsError: a value is of the wrong kind, or spelt as only files spell it, such as "30s".
    """
    for declared in options_of(type(values)):
        value = getattr(values, declared.attribute)
        if value is None and declared.default is None:
            continue
        try:
            proper = declared.read(value) == value
        except SettingsError as error:
            raise SettingsError(f"{declared.attribute}: {error}", options=(declared.attribute,)) from None
        if not proper:
            sentence = f"{declared.quote(value)} should be of its type, {declared.type}"
            raise SettingsError(f"{declared.attribute}: {sentence}", options=(declared.attribute,))
