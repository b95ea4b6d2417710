"""Options about a reverse proxy that says who its users are."""

from __future__ import annotations

from dataclasses import dataclass

from mirant.identity.kinds import HEADER, NETWORKS
from mirant.options.declaring import check_options, option
from mirant.options.values import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions:
    """Which headers say who a client is, and which proxies are believed.

    Raises:
        SettingsError: a value is of the wrong kind, or a necessary one is missing.
    """

    user_header: str | None = option(
        "proxy", HEADER, "The header with the user's name, which the proxy sets or removes.", default=None
    )
    roles_header: str | None = option(
        "proxy", HEADER, "The header with the user's roles, separated by commas or spaces.", default=None
    )
    trusted: tuple[str, ...] = option(
        "proxy",
        NETWORKS,
        "The proxies' addresses, `unix` for a Unix socket. From other addresses these headers are refused.",
        default=(),
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.user_header is None and (self.roles_header or self.trusted):
            raise SettingsError("it is missing: the header with the user's name", options=("user_header",))
        if self.user_header is not None and not self.trusted:
            raise SettingsError("it is missing: the proxies' addresses", options=("trusted",))

    @property
    def enabled(self) -> bool:
        """Whether the headers are read."""
        return self.user_header is not None
