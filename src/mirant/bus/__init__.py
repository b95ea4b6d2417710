"""What a Bayeux server decides: sessions, subscriptions, the way of a message, deadlines.

Nothing here knows a socket or an event loop: bytes and the time come in, answers and deadlines go out.
Times are seconds on any monotonic clock. Hosts and applications talk to `core` alone. `parts` makes what it
is made of, and gives each part at birth what it needs and nothing else. `contracts` has all seams on one
page.

In the order of a message:

- Values: `request` (the HTTP request that it came with), `turn` (what came in at once, with its answers),
  `session` with its `record` (what survives its process) and its `traits` (what is unusual), `party` (who
  acts), `identity`.
- In: `receive` (the steps of each message), `extension`, `handling`; then by channel `handshaking`,
  `connecting`, `subscribing`, `publishing`, `disconnecting`, `calls`. What refuses: `refusal`,
  `veto`. The application's functions: `hooks`, and `leaving` (of sessions that ended).
- Rules: `in_force` (the options and the guard that hold now), `enforcing` (rules for sessions that are
  there).
- Sessions: `sessions` (open, find, adopt, end), `links` (connections that come and go), `browsers`,
  `families`, `windows`, `farewells` (of clients that were sent away).
- Across: `hub` (who subscribes; publish, engine, arrived), `subscriptions`, `channel_options`.
- Polls: `polls` (holds and answers every /meta/connect), `held`, `plain_connect`, `beat` (polls under
  load).
- Out: `flushing` (the end of a turn of the event loop), `tick` (what was published since the last flush),
  `batch`, `outbox` (what waits), `dropped` (what gave way), `retention` (what left and may be lost),
  `replies`, `deliveries` (the one door), `carrier` (the way to a client).
- Time: `clock`, `timetable` (when each session is looked at), `deadlines`, `pace` (long work in slices).
- What happened: `observer`, `log`, `audit`, `statistics`.
"""
