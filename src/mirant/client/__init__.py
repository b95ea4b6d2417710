"""The Bayeux client. It does no I/O: bytes and the time come in; events, bodies and deadlines go out.

In the order of a session: `options`; `protocol`, which applications and transports call; `keeper`, which
opens the session, holds it and brings it back, by the table in `states`; `link` (the transport), `session`
(what a handshake gave), `subscriptions`, `advice` and `backoff` (when to come back). Below them `traffic`
with `requests` (what waits for a reply) and `sending` (the bodies to send). `events` is what comes out.
"""
