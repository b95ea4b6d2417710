"""``mirant load``: a load generator for any Bayeux server, and the proof that nothing was lost.

One run goes through these files: `scenario` (who is in which room), `schedule` (who publishes what, when),
`crew` and `worker` (the processes), `client` over a transport (`websocket` or `polling`), `intake` and
`ledger` (what arrived, checked), `histogram` and `outcome` (what it adds up to), and the reports.

All times here are whole microseconds of the monotonic clock, which on Linux and macOS is one clock for all
processes of a machine: a message that one worker publishes is timed by another that receives it.
"""
