"""Options about tokens: where they are, which keys sign them and what they must say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mirant.identity.kinds import ALGORITHMS, ALLOWED, KEY_SET, LEEWAY, SECRET, SOURCES, TEXT, TEXTS
from mirant.options.declaring import check_options, option, options_of
from mirant.options.values import KIB, SettingsError

_KEYS: Final = ("secret", "secret_file", "public_key", "jwks")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOptions:
    """How clients prove with a JSON Web Token (RFC 7519) who they are. Without a key no token is read.

    Raises:
        SettingsError: a value is of the wrong kind, or contradicts another.
    """

    sources: tuple[str, ...] = option(
        "token",
        SOURCES,
        "Where a token is looked for. The first place that has one decides; `ext` comes before the rest.",
        default=("ext.token", "header:Authorization"),
        name="from",
    )
    algorithms: tuple[str, ...] = option(
        "token", ALLOWED, "How tokens may be signed. There is no default.", default=()
    )
    secret: str | None = option(
        "token", SECRET, "The secret of HS256, which the issuer has too.", default=None, secret=True
    )
    secret_file: str | None = option(
        "token", TEXT, "A file that holds the secret of HS256; white space at its end is cut.", default=None
    )
    public_key: str | None = option(
        "token", TEXT, "A PEM file with the issuer's public key or certificate.", default=None
    )
    jwks: str | None = option(
        "token", KEY_SET, "The issuer's public keys, as a JSON Web Key Set: a file or a URL.", default=None
    )
    # Issuers announce a key about a day before they use it, and want a leaked one forgotten within minutes.
    refresh: float = option(
        "token", "positive duration", "How often the key set is fetched again.", default=600.0
    )
    issuer: str | None = option(
        "token", TEXT, "The issuer that `iss` must name. By default `iss` is not checked.", default=None
    )
    audience: tuple[str, ...] = option(
        "token",
        TEXTS,
        "One of these must be in `aud`. By default a token with an `aud` is refused.",
        default=(),
    )
    leeway: float = option(
        "token",
        LEEWAY,
        "How far the issuer's clock may be off. A token is accepted that much longer.",
        default=0.0,
    )
    name: str = option(
        "token", TEXT, "The claim with the client's name; dots lead into objects.", default="sub"
    )
    roles: str = option(
        "token",
        TEXT,
        "The claim with the client's roles, a list or separated by spaces; dots lead into objects.",
        default="roles",
    )
    require_expiry: bool = option(
        "token", "switch", "Whether tokens that never run out are refused.", default=True
    )
    # HTTP servers usually accept headers up to this size.
    max_size: int = option("token", "size", "Longest token.", default=8 * KIB)

    def __post_init__(self) -> None:
        check_options(self)
        given = [name for name in _KEYS if getattr(self, name) is not None]
        if not given:
            self._check_unused()
            return
        if len(given) > 1:
            raise SettingsError(f"there should be one of {' and '.join(given)}", options=(given[1],))
        self._check_algorithms(given[0])
        if not self.sources:
            raise SettingsError("name at least one place where a token may be", options=("sources",))

    @property
    def enabled(self) -> bool:
        """Whether tokens are read."""
        return any(getattr(self, name) is not None for name in _KEYS)

    def _check_unused(self) -> None:
        for each in options_of(type(self)):
            if getattr(self, each.attribute) != each.default:
                raise SettingsError(
                    f"tokens need a key: add one of {', '.join(_KEYS)} below [token]",
                    options=(each.attribute,),
                )

    def _check_algorithms(self, key: str) -> None:
        """Refuse algorithms that do not fit *key*. Otherwise a public key could serve as a secret of HMAC."""
        if not self.algorithms:
            raise SettingsError(
                f"it is missing: a list with some of {', '.join(ALGORITHMS)}", options=("algorithms",)
            )
        secret = key in ("secret", "secret_file")
        wrong = [name for name in self.algorithms if (ALGORITHMS[name] == "oct") is not secret]
        if wrong:
            fitting = ", ".join(name for name, kind in ALGORITHMS.items() if (kind == "oct") is secret)
            raise SettingsError(
                f"{wrong[0]} does not go with {key}; that is for {fitting}", options=("algorithms",)
            )
