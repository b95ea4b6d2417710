"""The application's own filters, by their dotted names."""

from __future__ import annotations

import importlib
import inspect
from asyncio import CancelledError
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from mirant.bus.veto import Veto
from mirant.options.declaring import Fault, KeyPath
from mirant.options.quoting import spell
from mirant.policy.filters.contract import Dropped, FilterInvalid
from mirant.policy.filters.exact import decode, encode
from mirant.policy.filters.failures import Failures


@dataclass(frozen=True, slots=True)
class Custom:
    """Calls ``function(data)`` for the new data.

    The function gets a copy of the data, which it may change and return. It refuses a message by raising
    `Veto`, or by returning None for data that was not None, as Jetty's filters did. Any other exception is
    logged and drops the message.
    """

    name: str
    function: Callable[[Any], Any]
    failures: Failures = field(default_factory=Failures, repr=False, compare=False)

    def __call__(self, data: Any) -> Any:
        before = encode(data)
        try:
            result = self.function(decode(before))
            after = encode(result)
        except Veto as veto:
            raise Dropped(veto.reason) from None
        except (Exception, CancelledError, GeneratorExit, SystemExit) as error:
            self.failures.write(self.name, error)
            raise Dropped("filter_failed") from None
        if after == before:
            return data
        if result is None:
            raise Dropped("filter_refused")
        # The function may return tuples, dataclasses or numbers as keys. The next filter gets plain JSON
        # values.
        return decode(after)


def read(value: object, where: KeyPath, base: Path) -> Custom:
    """Return the filter of ``{ custom = "app.filters:tidy" }``; imports the module."""
    if not isinstance(value, str) or not all(value.partition(":")):
        sentence = f'{spell(value)} should name a function, with its module: "app.filters:tidy"'
        raise FilterInvalid(Fault(where, sentence))
    return Custom(f"custom {value}", _import(value, where))


def _import(name: str, where: KeyPath) -> Callable[[Any], Any]:
    module_name, _, path = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except BaseException as error:  # importing runs the module, and a script may call sys.exit()
        sentence = f"{module_name} cannot be imported: {_explain(error)}"
        raise FilterInvalid(Fault(where, sentence)) from None
    try:
        function = reduce(getattr, path.split("."), module)
    except AttributeError as error:
        raise FilterInvalid(Fault(where, f"{name} is not there: {error}")) from None
    if not callable(function):
        raise FilterInvalid(Fault(where, f"{name} is not a function but of type {type(function).__name__}"))
    if inspect.iscoroutinefunction(function):
        sentence = f"{name} is a coroutine function, and filters do not wait: use @bus.on_publish for it"
        raise FilterInvalid(Fault(where, sentence))
    return function


def _explain(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
