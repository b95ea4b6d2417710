"""Who a client is: asked at the handshake, and at connects that may bring a fresh token."""

import json
import logging
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.bayeux.messages import Message
from mirant.bus.extension import Veto
from mirant.bus.identity import CredentialRefused, Identity
from mirant.bus.record import SessionRecord
from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.identity.authentication import Answer, Authentication
from mirant.identity.proxy_options import ProxyOptions
from mirant.identity.setup import set_up_authentication
from mirant.identity.token_options import TokenOptions
from mirant.options.settings import Settings
from tests.identity.signing import CLAIMS, NOW, SECRET, issuer, with_secret

EVERYWHERE = ("header:Authorization", "header:X-Token", "cookie:token", "query:token", "ext.token")
PROXY = ProxyOptions(
    user_header="X-User", roles_header="x-roles", trusted=("10.0.0.0/8", "fd00::/8", "192.0.2.7")
)
GOOD = with_secret()
EXPIRED = with_secret({"sub": "alice", "exp": NOW - 1})
LATER = with_secret({"sub": "alice", "exp": NOW + 600, "roles": ["admin"]})
BOB = with_secret({"sub": "bob", "exp": NOW + 600})


def world(
    sources: tuple[str, ...] = EVERYWHERE, proxy: ProxyOptions | None = None, now: float = NOW, **options: Any
) -> Authentication:
    """Return what authenticates by tokens of `with_secret`, and by a *proxy*."""
    token = TokenOptions(secret=SECRET, algorithms=("HS256",), sources=sources, **options)
    found = set_up_authentication(token, proxy or ProxyOptions(), Path(), clock=lambda: now)
    assert found is not None
    return found


def message(**ext: object) -> Message:
    """Return a message with that *ext*."""
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in ext.items()}
    return Message(channel="/meta/handshake", ext=raw or None)


def request(
    query: str = "",
    address: str | None = "203.0.113.9",
    *,
    forwarded: str = "",
    repeated: str = "",
    **headers: str,
) -> Request:
    """Return a request from *address*, or, as the proxy there says, from what it has *forwarded*.

    The names of *headers* have underscores for dashes; those in *repeated* came more than once.
    """
    return Request(
        {name.replace("_", "-"): value for name, value in headers.items()},
        address=forwarded or address,
        peer=address,
        repeated=frozenset(repeated.split()),
        query=query,
    )


def now_of(answer: Answer) -> Identity | None:
    """Return *answer*, which must not have to be waited for."""
    assert answer is None or isinstance(answer, Identity)
    return answer


def session(identity: Identity | None) -> Session:
    """Return a session of *identity*."""
    settings = Settings()
    record = SessionRecord(
        id="a" * 20,
        timeout=settings.timeout,
        interval=settings.interval,
        max_interval=settings.max_interval,
        echo=settings.echo,
        connect_only=settings.connect_only,
        identity=identity,
    )
    return Session(record, settings)


def name_of(answer: Answer) -> str | None:
    """Return the name of who is authenticated at once."""
    found = now_of(answer)
    return None if found is None else found.name


# --- Where tokens are ---


@pytest.mark.parametrize(
    "presented",
    [
        (message(token=GOOD), request()),
        (message(), request(authorization=f"Bearer {GOOD}")),
        (message(), request(authorization=f"bearer   {GOOD} ")),
        (message(), request(x_token=GOOD)),
        (message(), request(cookie=f"token={GOOD}")),
        (message(), request(cookie=f'a=b; ; =; x; token="{GOOD}"; c=d=e; \x01=\xff')),
        (message(), request(cookie=f"token=; token={GOOD};token={GOOD}")),
        (message(), request(f"token={GOOD}")),
        (message(), request(f"a=1&&=&token={GOOD}&b=%zz&%74oken=")),
        (message(), request(f"%74oken={GOOD.replace('.', '%2E')}")),
    ],
)
def test_every_place(presented: tuple[Message, Request]) -> None:
    assert name_of(world().authenticate(*presented)) == "alice"


@pytest.mark.parametrize(
    "presented",
    [
        (message(), request()),
        (Message(), Request()),
        (message(token=None), request()),
        (message(token=""), request(x_token="", cookie="token=", query="token=")),
        (message(other=GOOD), request("tokens=x&Token=x", cookie="tokens=x; Token=x; token")),
        (message(), request(authorization="Basic YTpi")),
        (message(), request(authorization="Bearer")),
        (message(), request(authorization=f"Bearer{GOOD}")),
        (message(), request(cookie=f"other=1, token={GOOD}")),
    ],
)
def test_who_presents_nothing_is_nobody(presented: tuple[Message, Request]) -> None:
    assert now_of(world().authenticate(*presented)) is None


def test_a_place_within_ext() -> None:
    deep = world(("ext.auth.token",))

    assert name_of(deep.authenticate(message(auth={"token": GOOD}), request())) == "alice"
    others: list[object] = [{}, {"token": None}, [], "token", 7, {"token": ""}]
    for other in others:
        assert now_of(deep.authenticate(message(auth=other, token=GOOD), request())) is None


def test_other_places_are_not_looked_at() -> None:
    headers = {"authorization": f"Bearer {GOOD}", "x_token": GOOD, "cookie": f"token={GOOD}"}

    assert now_of(world(("ext.token",)).authenticate(message(), request(f"token={GOOD}", **headers))) is None
    assert (
        now_of(world(("cookie:token",)).authenticate(message(token=GOOD), request(f"token={GOOD}"))) is None
    )


# --- Tokens that are refused ---


@pytest.mark.parametrize("value", [7, True, [GOOD], {"token": GOOD}, "x", GOOD + " ", GOOD[:-2], "\x00"])
def test_what_is_no_token(value: object, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mirant")
    with pytest.raises(Veto, match=r"^token_invalid$"):
        world().authenticate(message(token=value), request())
    assert caplog.messages[0].startswith("token.refused address=203.0.113.9 reason=")
    assert GOOD[:-2] not in caplog.text


def test_an_expired_token_is_told_as_such() -> None:
    with pytest.raises(Veto, match=r"^token_expired$"):
        world().authenticate(message(token=EXPIRED), request())


@pytest.mark.parametrize(
    "presented",
    [
        (message(token=EXPIRED), request(cookie=f"token={GOOD}")),
        (message(token="x"), request(authorization=f"Bearer {GOOD}", query=f"token={GOOD}")),
        (message(), request(authorization="Bearer x", cookie=f"token={GOOD}")),
        (message(), request(cookie="token=x", query=f"token={GOOD}")),
        (message(), request(authorization=f"Bearer {GOOD}, Bearer {GOOD}")),
    ],
)
def test_a_bad_token_is_not_made_good_by_another(presented: tuple[Message, Request]) -> None:
    with pytest.raises(Veto, match="token_"):
        world().authenticate(*presented)


@pytest.mark.parametrize(
    "presented",
    [
        request(cookie=f"token={GOOD}; token={BOB}"),
        request(cookie=f"token={BOB}; a=b; token={GOOD}"),
        request(f"token={GOOD}&token={BOB}"),
        request(f"token={GOOD}&token=x"),
    ],
)
def test_two_tokens_in_one_place(presented: Request) -> None:
    with pytest.raises(Veto, match="token_invalid"):
        world().authenticate(message(), presented)


def test_what_is_in_the_message_comes_first() -> None:
    both = request(cookie=f"token={EXPIRED}", authorization=f"Bearer {EXPIRED}")

    assert name_of(world().authenticate(message(token=BOB), both)) == "bob"


@given(st.text(), st.text(), st.text(), st.text(), st.text() | st.integers() | st.lists(st.text()))
def test_any_request(authorization: str, header: str, cookie: str, query: str, ext: object) -> None:
    presented = request(query, authorization=authorization, x_token=header, cookie=cookie)
    for place in EVERYWHERE:
        try:
            found = world((place,)).authenticate(message(token=ext), presented)
        except Veto:
            continue
        assert found is None


# --- Proxies ---


@pytest.mark.parametrize("address", ["10.1.2.3", "192.0.2.7", "::ffff:10.1.2.3", "fd00::1"])
def test_a_proxy_says_who_it_is(address: str) -> None:
    identity = now_of(
        world(proxy=PROXY).authenticate(
            message(), request(address=address, x_user="jos\xc3\xa9", x_roles="member, editor  admin,")
        )
    )

    assert identity == Identity("josé", frozenset({"member", "editor", "admin"}))
    assert identity.valid_for is None


@pytest.mark.parametrize(
    "headers", [{}, {"x_user": ""}, {"x_user": " ", "x_roles": ""}, {"x_roles": "admin"}]
)
def test_a_proxy_that_names_nobody(headers: dict[str, str]) -> None:
    assert now_of(world(proxy=PROXY).authenticate(message(), request(address="10.0.0.1", **headers))) is None


@pytest.mark.parametrize(
    "address", [None, "", "11.0.0.1", "192.0.2.8", "::1", "::ffff:11.0.0.1", "unix", "10.0.0.1, 1"]
)
@pytest.mark.parametrize(
    "headers", [{"x_user": "root"}, {"x_roles": "admin"}, {"x_user": "root", "x_roles": "admin"}]
)
def test_anybody_else_is_refused_and_recorded(address: str | None, headers: dict[str, str]) -> None:
    with pytest.raises(CredentialRefused, match=r"^proxy_not_trusted$") as caught:
        world(proxy=PROXY).authenticate(message(), request(address=address, **headers))
    assert caught.value.event == "identity.forged"
    assert caught.value.facts == {"header": next(iter(headers)).replace("_", "-")}


def test_anybody_else_without_the_headers_is_nobody() -> None:
    assert now_of(world(proxy=PROXY).authenticate(message(), request())) is None


@pytest.mark.parametrize("address", [None, "11.0.0.1", "unix"])
def test_what_is_forwarded_makes_nobody_a_proxy(address: str | None) -> None:
    with pytest.raises(Veto, match=r"^proxy_not_trusted$"):
        world(proxy=PROXY).authenticate(
            message(), request(address=address, forwarded="10.0.0.1", x_user="root")
        )


def test_a_proxy_at_a_unix_socket_is_trusted_by_that_name() -> None:
    by_file = ProxyOptions(user_header="X-User", trusted=("unix", "192.0.2.7"))
    for address in ("unix", "192.0.2.7"):
        answer = world(proxy=by_file).authenticate(message(), request(address=address, x_user="alice"))
        assert name_of(answer) == "alice"
    with pytest.raises(Veto, match=r"^proxy_not_trusted$"):
        world(proxy=by_file).authenticate(message(), request(x_user="alice"))


@pytest.mark.parametrize("header", ["x-user", "x-roles"])
def test_a_header_that_came_twice_is_believed_of_nobody(header: str) -> None:
    twice = request(address="10.0.0.1", repeated=header, x_user="alice", x_roles="admin")
    with pytest.raises(Veto, match=r"^user_invalid$"):
        world(proxy=PROXY).authenticate(message(), twice)


def test_other_headers_may_come_twice() -> None:
    twice = request(address="10.0.0.1", repeated="cookie accept", x_user="alice")
    assert name_of(world(proxy=PROXY).authenticate(message(), twice)) == "alice"


@pytest.mark.parametrize("user", ["root, alice", "a\tb", "a" * 256, "jos\xe9", "\u20ac", "a\x7f"])
def test_names_that_are_none(user: str) -> None:
    with pytest.raises(Veto, match=r"^user_invalid$"):
        world(proxy=PROXY).authenticate(message(), request(address="10.0.0.1", x_user=user))


# --- Both ---


def test_a_token_and_a_proxy_that_agree() -> None:
    both = request(address="10.0.0.1", x_user="alice", x_roles="admin")
    identity = now_of(world(proxy=PROXY).authenticate(message(token=GOOD), both))

    assert identity is not None
    assert (identity.name, identity.valid_for, identity.roles) == ("alice", 60.0, frozenset())


def test_a_token_and_a_proxy_that_differ() -> None:
    both = request(address="10.0.0.1", x_user="bob")
    with pytest.raises(CredentialRefused, match=r"^identities_differ$") as caught:
        world(proxy=PROXY).authenticate(message(token=GOOD), both)
    assert (caught.value.event, caught.value.facts) == (
        "identity.conflict",
        {"token": "alice", "proxy": "bob"},
    )


def test_one_that_is_no_good_beside_one_that_is() -> None:
    with pytest.raises(Veto, match="token_expired"):
        world(proxy=PROXY).authenticate(message(token=EXPIRED), request(address="10.0.0.1", x_user="alice"))
    with pytest.raises(Veto, match="proxy_not_trusted"):
        world(proxy=PROXY).authenticate(message(token=GOOD), request(x_user="alice"))


# --- A fresh token ---


def entered(token: str = GOOD) -> Session:
    """Return the session of a client that came with *token*."""
    return session(now_of(world().authenticate(message(token=token), request())))


def test_a_fresh_token_prolongs() -> None:
    identity = now_of(world(now=NOW + 30).renew(entered(), message(token=LATER), request()))

    assert identity is not None
    assert (identity.name, identity.valid_for, identity.roles) == ("alice", 570.0, frozenset({"admin"}))


@pytest.mark.parametrize(
    "presented",
    [(message(), request()), (message(token=GOOD), request()), (message(), request(cookie=f"token={GOOD}"))],
)
def test_a_connect_that_brings_nothing_new(presented: tuple[Message, Request]) -> None:
    class Untouched:
        def identify(self, *_: object) -> Identity:
            raise AssertionError("a token that is known is not verified again")

    authentication, alice = world(), entered()
    authentication._tokens = Untouched()  # type: ignore[assignment]  # it is never called
    assert authentication.renew(alice, *presented) is None


def test_a_fresh_token_in_the_request() -> None:
    for presented in (request(authorization=f"Bearer {LATER}"), request(cookie=f"token={LATER}")):
        assert name_of(world().renew(entered(), message(), presented)) == "alice"


def test_a_token_that_runs_out_no_later_is_not_fresh() -> None:
    assert now_of(world().renew(entered(LATER), message(token=GOOD), request())) is None
    same = with_secret({**CLAIMS, "iat": NOW})
    assert now_of(world().renew(entered(), message(token=same), request())) is None


def test_a_token_for_ever_is_fresh() -> None:
    for_ever = with_secret({"sub": "alice"})
    identity = now_of(world(require_expiry=False).renew(entered(), message(token=for_ever), request()))

    assert identity is not None
    assert identity.valid_for is None
    assert now_of(world().renew(session(identity), message(token=LATER), request())) is None


@pytest.mark.parametrize("token", ["x", EXPIRED, GOOD[:-2]])
def test_a_bad_token_in_a_connect_refuses_it(token: str) -> None:
    with pytest.raises(Veto, match="token_"):
        world().renew(entered(), message(token=token), request(cookie=f"token={LATER}"))


@pytest.mark.parametrize(
    "presented",
    [request(cookie=f"token={EXPIRED}"), request("token=x"), request(cookie=f"token={GOOD}; token=x")],
)
def test_what_a_browser_still_sends_does_not_end_a_session(presented: Request) -> None:
    # It opened its WebSocket with a cookie that has run out; the session got a fresh token in a connect.
    assert now_of(world().renew(entered(LATER), message(), presented)) is None


@pytest.mark.parametrize(
    "presented", [(message(token=BOB), request()), (message(), request(cookie=f"token={BOB}"))]
)
def test_a_token_of_another_user(presented: tuple[Message, Request]) -> None:
    with pytest.raises(CredentialRefused, match=r"^token_of_another_user$") as caught:
        world().renew(entered(), *presented)
    assert (caught.value.event, caught.value.facts) == (
        "identity.conflict",
        {"token": "bob", "session": "alice"},
    )


def test_a_client_that_came_without_a_token_signs_in_with_one() -> None:
    assert name_of(world().renew(session(None), message(token=GOOD), request())) == "alice"
    with pytest.raises(Veto, match="token_expired"):
        world().renew(session(None), message(token=EXPIRED), request())


# --- Keys that have to be fetched first ---


async def later(answer: Answer) -> Identity | None:
    """Return what *answer*, which has to be waited for, results in."""
    assert isinstance(answer, Awaitable)
    return await answer


async def test_keys_that_cannot_be_had(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    options = TokenOptions(jwks="http://127.0.0.1:1/", algorithms=("ES256",))
    authentication = set_up_authentication(options, ProxyOptions(), tmp_path, clock=lambda: NOW)
    assert authentication is not None
    token = issuer("ES256", "e").sign()

    with pytest.raises(CredentialRefused, match=r"^keys_unavailable$") as caught:
        await later(authentication.authenticate(message(token=token), request()))
    assert caught.value.temporary
    assert "keys.failed place=http://127.0.0.1:1/" in caplog.text
    with pytest.raises(CredentialRefused, match=r"^keys_unavailable$"):
        authentication.authenticate(message(token=token), request())


async def test_a_key_set_in_a_file_that_rotates(tmp_path: Path) -> None:
    one, two = issuer("ES256", "one"), issuer("ES256", "two")
    path = tmp_path / "set.json"
    path.write_text(json.dumps({"keys": [one.jwk()]}))
    options = TokenOptions(jwks="set.json", algorithms=("ES256",))
    authentication = set_up_authentication(options, PROXY, tmp_path, clock=lambda: NOW, monotonic=lambda: 0.0)
    assert authentication is not None
    alice = now_of(authentication.authenticate(message(token=one.sign()), request()))

    path.write_text(json.dumps({"keys": [two.jwk()]}))
    fresh = two.sign({"sub": "alice", "exp": NOW + 600})
    renewed = await later(authentication.renew(session(alice), message(token=fresh), request()))
    assert renewed is not None
    assert renewed.valid_for == 600
    with pytest.raises(Veto, match="token_invalid"):
        authentication.authenticate(message(token=one.sign()), request())
    with pytest.raises(Veto, match="identities_differ"):
        authentication.authenticate(message(token=fresh), request(address="10.0.0.1", x_user="bob"))


async def test_a_bad_token_whose_key_had_to_be_fetched(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(json.dumps({"keys": [issuer("ES256", "one").jwk()]}))
    authentication = set_up_authentication(
        TokenOptions(jwks="set.json", algorithms=("ES256",), sources=("ext.token", "cookie:token")),
        ProxyOptions(),
        tmp_path,
        clock=lambda: NOW,
        monotonic=lambda: 0.0,
    )
    assert authentication is not None
    unknown = issuer("ES256", "two").sign()
    alice = session(Identity("alice", valid_for=60.0))

    ignored = authentication.renew(alice, message(), request(cookie=f"token={unknown}"))
    assert await later(ignored) is None
    with pytest.raises(Veto, match="token_invalid"):
        authentication.renew(alice, message(token=unknown), request())


# --- What others get to see ---


def test_tokens_are_concealed_before_a_message_is_forwarded() -> None:
    authentication = world(("ext.token", "ext.auth.token", "cookie:token"))
    for ext, left in (
        ({"token": GOOD}, None),
        ({"auth": {"token": GOOD}, "ack": True}, ["ack"]),
        ({"ack": True}, ["ack"]),
        ({}, None),
    ):
        publish = message(**ext)
        authentication.conceal(publish)
        assert publish.ext is None if left is None else list(publish.ext or {}) == left


# --- A proxy alone ---


def test_a_proxy_alone(tmp_path: Path) -> None:
    authentication = set_up_authentication(TokenOptions(), PROXY, tmp_path)
    assert authentication is not None

    assert (
        name_of(authentication.authenticate(message(token=GOOD), request(address="10.0.0.1", x_user="bob")))
        == "bob"
    )
    assert now_of(authentication.renew(session(Identity("bob")), message(token=GOOD), request())) is None
