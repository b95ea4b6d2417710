"""Reading ``mirant.toml``: from its text to a policy that can be put in force as a whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mirant.identity.proxy_options import ProxyOptions
from mirant.identity.token_options import TokenOptions
from mirant.options.declaring import Fault, KeyPath
from mirant.options.reading import fault_of, read_options
from mirant.options.settings import Settings
from mirant.options.values import SettingsError
from mirant.policy.environment import read_environment
from mirant.policy.faults import decode_file, parse, render_faults
from mirant.policy.filters import Filter
from mirant.policy.jetty import load_filters
from mirant.policy.overlaps import check_overlaps
from mirant.policy.positions import line_of
from mirant.policy.rulebook import Rulebook
from mirant.policy.rules import Operation, Rule, read_rules
from mirant.policy.scope import ChannelScope
from mirant.policy.who import Permission, Who, WhoKind

if TYPE_CHECKING:
    from mirant.identity.authentication import Authentication

#: Every class that declares options of the file.
OPTIONS: Final = (Settings, TokenOptions, ProxyOptions)

#: The table of the file that holds rules, not options.
_RULES: Final = "channel"

_BEING_WRITTEN: Final = (
    "{}: it changed while it was read. Write a file beside it, rename that over it, and reload again."
)
_NO_RULES: Final = (
    "{}: it has no rules, and {} are in force: it was probably cut off. To allow nothing, write a rule that "
    'allows nobody: match = "/**" with subscribe = [] and publish = [].'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that a file says. Nothing of it is in force until a bus takes it."""

    settings: Settings = field(default_factory=Settings)
    #: The rules; None: everybody may do everything.
    book: Rulebook | None = None
    #: How clients prove who they are; None: the application decides that.
    authentication: Authentication | None = None
    #: The options of which `authentication` was made.
    token: TokenOptions = field(default_factory=TokenOptions)
    proxy: ProxyOptions = field(default_factory=ProxyOptions)

    @property
    def rule_count(self) -> int:
        """How many rules and filters of Jetty there are."""
        if self.book is None:
            return 0
        return len(self.book.filters) + sum(bool(rule.lines) for rule in self.book.rules)

    def same_authentication(self, other: Policy) -> bool:
        """Whether *other* takes its keys from the same URL, with the same options.

        The keys at hand should then be kept, because their issuer may not be reachable just now.
        """
        same = (self.token, self.proxy) == (other.token, other.proxy)
        return same and "://" in (self.token.jwks or "")


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload changed."""

    #: Rules in force before and now, those of Jetty's file included.
    rules_before: int
    rules: int
    #: Subscriptions that are not allowed any more, of all sessions.
    revoked: int

    def __str__(self) -> str:
        return f"Rules: {self.rules_before} before, {self.rules} now. Subscriptions revoked: {self.revoked}."


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """The files of a policy, read at the start and at each reload: ``mirant.toml``, ``filters.json`` or both.

    Variables of *environ* override the options of the file, or the defaults if there is none.
    """

    config: Path | None = None
    filters: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    #: The time of day, in seconds since 1970, by which tokens are judged.
    clock: Callable[[], float] = time.time

    def load(self) -> Policy:
        """Return what the files say.

        Raises:
            SettingsError: something in them is wrong; the text has a line for each fault.
            OSError: one cannot be read.
        """
        policy, complaints = self.read()
        if policy is None:
            raise SettingsError("\n".join(complaints))
        return policy

    def load_again(self, former: Policy) -> Policy:
        """Return what the files say now, to take the place of *former*.

        Raises:
            SettingsError: something in them is wrong, they have no rules any more, or one was written
                meanwhile.
            OSError: one cannot be read.
        """
        state = self.state()
        policy = self.load()
        if self.state() != state:
            raise SettingsError(_BEING_WRITTEN.format(self.config or self.filters))
        if self.config is not None and former.rule_count and not policy.rule_count:
            raise SettingsError(_NO_RULES.format(self.config, former.rule_count))
        return policy

    def state(self) -> tuple[tuple[int, int, int], ...]:
        """Return what changes whenever one of the files is written: compare two of them.

        Raises:
            OSError: one cannot be read.
        """
        found = [path.stat() for path in (self.config, self.filters) if path is not None]
        return tuple((each.st_ino, each.st_size, each.st_mtime_ns) for each in found)

    def read(self) -> tuple[Policy | None, list[str]]:
        """Return what the files say, or everything that is wrong with them: ``mirant.toml:3: …``."""
        filters, complaints = _read_filters(self.filters)
        policy = None
        lines: Mapping[KeyPath, int] = {}
        text, faults = decode_file(b"" if self.config is None else self.config.read_bytes())
        if not faults:
            tables, lines, faults = parse(text)
        if not faults:
            policy, faults = self._read(tables, partial(line_of, lines), filters)
        complaints += render_faults(self.config or Path("mirant.toml"), lines, faults)
        return (None if complaints else policy), complaints

    def _read(
        self,
        tables: Mapping[str, object],
        line_of_path: Callable[[KeyPath], int],
        filters: list[tuple[ChannelScope, Filter]],
    ) -> tuple[Policy | None, list[Fault]]:
        overrides, faults = read_environment(self.environ, OPTIONS, rules=(_RULES,))
        options, wrong = read_options(OPTIONS, tables, elsewhere=(_RULES,), overrides=overrides)
        faults += wrong
        folder = Path() if self.config is None else self.config.parent
        rules, wrong = read_rules(tables.get(_RULES, []), folder, line_of_path)
        faults += wrong or check_overlaps(rules)
        if faults:
            return None, faults
        try:
            authentication = self._authentication(options[TokenOptions], options[ProxyOptions], folder)
        except SettingsError as error:
            return None, [fault_of(error, TokenOptions, overrides=overrides)]
        book = _book(rules, filters, is_open=self.config is None)
        return Policy(
            settings=options[Settings],
            book=book,
            authentication=authentication,
            token=options[TokenOptions],
            proxy=options[ProxyOptions],
        ), []

    def _authentication(
        self, token: TokenOptions, proxy: ProxyOptions, folder: Path
    ) -> Authentication | None:
        if not token.enabled and not proxy.enabled:
            return None
        # Imported here, because its cryptography takes 150 ms to import and most buses do not need it.
        from mirant.identity.setup import set_up_authentication

        return set_up_authentication(token, proxy, folder, clock=self.clock)


def _book(rules: list[Rule], filters: list[tuple[ChannelScope, Filter]], *, is_open: bool) -> Rulebook | None:
    if not is_open:
        return Rulebook(rules, filters)
    if not filters:
        return None
    everybody = dict.fromkeys(Operation, Permission(allow=(Who(WhoKind.ANYONE),)))
    return Rulebook([Rule(scopes=(ChannelScope.parse("/**"),), permissions=everybody)], filters)


def _read_filters(path: Path | None) -> tuple[list[tuple[ChannelScope, Filter]], list[str]]:
    if path is None:
        return [], []
    found, faults = load_filters(path)
    return [(scope, each) for scope, chain in found for each in chain], render_faults(path, {}, faults)
