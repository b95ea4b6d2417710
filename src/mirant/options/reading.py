"""Reading options from the tables of a file. All faults are found, not only the first."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from mirant.options.declaring import Fault, Option, options_of
from mirant.options.quoting import spell
from mirant.options.spelling import nearest
from mirant.options.values import SettingsError

T = TypeVar("T")

#: The options there are, by table and name.
Known: TypeAlias = Mapping[tuple[str, str], Option]


@dataclass(frozen=True, slots=True)
class Override:
    """The value of an environment variable, which takes the place of the file's."""

    variable: str
    value: object


class OptionValues:
    """Dataclasses of options, by their class: ``values[Settings]`` is a Settings."""

    def __init__(self, values: Mapping[type, object]) -> None:
        self._values = values

    def __getitem__(self, cls: type[T]) -> T:
        """Return the options of *cls*.

        Raises:
            KeyError: it was not read, or there were faults in it.
        """
        value = self._values[cls]
        assert isinstance(value, cls)
        return value


def known_options(classes: Iterable[type]) -> Known:
    """Return the options that *classes* declare, by table and name."""
    return {option.path: option for cls in classes for option in options_of(cls)}


def read_options(
    classes: Collection[type[object]],
    tables: Mapping[str, object],
    *,
    elsewhere: Collection[str] = (),
    overrides: Mapping[tuple[str, str], Override] | None = None,
) -> tuple[OptionValues, list[Fault]]:
    """Return the options of *classes* that *tables* set, and all faults in them.

    Args:
        classes: dataclasses that declare options, each with its own.
        tables: a parsed TOML file.
        elsewhere: names of tables that are read elsewhere.
        overrides: values to take instead of the file's, by table and name.
    """
    known = known_options(classes)
    reading = _Reading(known, overrides or {})
    reading.read_tables(tables, elsewhere)
    reading.read_overrides()
    values: dict[type, object] = {}
    for cls in classes:
        value = reading.build(cls)
        if value is not None:
            values[cls] = value
    return OptionValues(values), reading.faults


def fault_of(
    error: SettingsError,
    cls: type,
    *,
    given: Container[tuple[str, str]] = (),
    overrides: Mapping[tuple[str, str], Override] | None = None,
) -> Fault:
    """Return *error*, about options of *cls*, as a fault at the place of the option to change.

    `SettingsError.options` names the options. The first one that was *given* is taken, or else the first one.
    If it names none, the place is the table.
    """
    named = [each for each in options_of(cls) if each.attribute in error.options]
    if not named:
        return Fault((options_of(cls)[0].table,), str(error))
    option = next((each for each in named if each.path in given), named[0])
    override = (overrides or {}).get(option.path)
    return Fault(option.path, str(error), override.variable if override else None)


class _Reading:
    """The values that were read so far, and the faults in them."""

    def __init__(self, known: Known, overrides: Mapping[tuple[str, str], Override]) -> None:
        self.faults: list[Fault] = []
        self._known = known
        self._overrides = overrides
        self._values: dict[tuple[str, str], Any] = {}
        self._faulty: set[tuple[str, str]] = set()

    def read_tables(self, tables: Mapping[str, object], elsewhere: Collection[str]) -> None:
        """Read the tables of the file."""
        for name, table in tables.items():
            if name in elsewhere:
                continue
            wrong = _wrong_table(name, table, self._known, elsewhere)
            if wrong is not None:
                self.faults.append(Fault((name,), wrong))
            elif isinstance(table, Mapping):
                self._read_table(name, table)

    def _read_table(self, table: str, entries: Mapping[str, object]) -> None:
        for name, value in entries.items():
            option = self._known.get((table, name))
            if option is None:
                self.faults.append(Fault((table, name), _wrong_option(table, name, self._known)))
            else:
                self._read(option, value, variable=None)

    def read_overrides(self) -> None:
        """Read the values that override the file."""
        for path, override in self._overrides.items():
            self._read(self._known[path], override.value, variable=override.variable)

    def _read(self, option: Option, value: object, *, variable: str | None) -> None:
        try:
            self._values[option.path] = option.read(value)
        except SettingsError as error:
            self._faulty.add(option.path)
            self.faults.append(Fault(option.path, str(error), variable))

    def build(self, cls: type[object]) -> object | None:
        """Return the options of *cls*, or None if one of them or their combination has a fault."""
        options = options_of(cls)
        faulty = {each.table for each in options if each.path in self._faulty}
        given = {each.attribute: self._values[each.path] for each in options if each.path in self._values}
        try:
            value = cls(**given)
        except SettingsError as error:
            fault = fault_of(error, cls, given=self._values, overrides=self._overrides)
            # A wrong value counts as not given, so that a fault of the combination may be a false one.
            if fault.path[0] not in faulty:
                self.faults.append(fault)
            return None
        return None if faulty else value


def _wrong_table(name: str, table: object, known: Known, elsewhere: Collection[str]) -> str | None:
    """Return what is wrong with a table itself, or None."""
    names = sorted({its_table for its_table, _ in known} | set(elsewhere))
    if name in names:
        fine = isinstance(table, Mapping)
        return None if fine else f"{name} should be a table: write [{name}] and its options below"
    homes = _homes(name, known)
    if homes and not isinstance(table, Mapping):
        return f"{spell(name)} is not a table; it belongs below {homes}"
    near = nearest(name, names)
    hint = f"did you mean {near!r}?" if near else f"there are: {_listed(names)}"
    return f"{spell(name)} is not a table; {hint}"


def _wrong_option(table: str, name: str, known: Known) -> str:
    """Return what is wrong with an option that does not exist."""
    if homes := _homes(name, known):
        return f"{spell(name)} belongs below {homes}, not [{table}]"
    here = [option.name for option in known.values() if option.table == table]
    missing = f"{spell(name)} is not an option in [{table}]"
    if near := nearest(name, here):
        return f"{missing}; did you mean {near!r}?"
    if near := nearest(name, [option.name for option in known.values()]):
        return f"{missing}; did you mean {near!r} below {_homes(near, known)}?"
    return f"{missing}; there are: {_listed(sorted(here))}"


def _homes(name: str, known: Known) -> str:
    """Return the tables that have an option *name*, for a sentence."""
    return " or ".join(f"[{table}]" for table, its_name in known if its_name == name)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
