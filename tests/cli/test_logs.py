"""What ``mirant serve`` writes: whom it refused and by which rule, and never a credential."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.hosts.clients import Poller, Socket
from tests.hosts.serving import Process
from tests.identity.signing import SECRET, with_secret

CONFIG = f"""\
[token]
algorithms = ["HS256"]
secret = "{SECRET}"
from = ["query:token", "ext.token"]

[[channel]]
match = "/chat/{{room}}"
subscribe = "anyone"
publish = "role:member"
rate = "1/h"
max_message = "16B"
"""
DATA = "what was said"


async def test_who_is_refused_what_by_which_rule_and_no_credential(tmp_path: Path) -> None:
    (tmp_path / "mirant.toml").write_text(CONFIG)
    claims = {"sub": "alice", "roles": ["member"], "exp": time.time() + 60}
    good = with_secret(claims)
    bad, spoilt = with_secret({**claims, "exp": 1}), good[:-4] + "AAAA"
    with Process("serve", "--port", "0", "--config", "mirant.toml", folder=tmp_path) as server:
        for token in (bad, spoilt):
            async with Poller.at(f"{server.url}?token={token}") as client:
                assert not (await client.handshake())["successful"]
        async with Poller.at(server.url) as client:
            assert not (await client.handshake(ext={"token": spoilt}))["successful"]
        async with Poller.at(f"{server.url}?token={good}") as alice, Socket.at(server.url) as nobody:
            await alice.begin()
            await nobody.begin()
            assert (await alice.publish("/chat/a", DATA))["successful"]
            assert (await alice.publish("/chat/a", DATA))["error"].startswith("429:")
            assert (await alice.publish("/chat/a", DATA * 9))["error"].startswith("413:")
            assert not (await alice.subscribe("/**"))["successful"]
            await nobody.send({"channel": "/chat/a", "data": DATA, "ext": {"token": good}})
            assert not (await nobody.receive())[0]["successful"]
            sessions = [str(alice.id), str(nobody.id)]
        server.signal(signal.SIGINT)
        code, out, err = server.finish()

    assert code == 0
    events = [line.partition(" mirant.audit ")[2] for line in err.splitlines() if " mirant.audit " in line]
    first, second = (f"session={session[:8]}" for session in sessions)
    assert events == [
        "handshake.denied address=127.0.0.1 reason=token_expired",
        "handshake.denied address=127.0.0.1 reason=token_invalid",
        "handshake.denied address=127.0.0.1 reason=token_invalid",
        f"rate.exceeded address=127.0.0.1 channel=/chat/a {first} user=alice rule=/chat/{{room}}@10",
        f"message.too-large address=127.0.0.1 channel=/chat/a {first} user=alice",
        f"subscribe.denied address=127.0.0.1 channel=/** {first} user=alice rule=none",
        f"publish.denied address=127.0.0.1 channel=/chat/a {second} rule=/chat/{{room}}@9",
    ]
    for secret in (good, bad, spoilt, SECRET, DATA, *sessions):
        assert secret not in out + err
