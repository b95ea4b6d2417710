"""``mirant load``: a load generator for any Bayeux server, and the proof that nothing was lost.

One run goes through these files: `scenario` (who is in which room), `schedule` (who publishes what, when),
`crew` and `worker` (the processes), `client` over a transport (`websocket` or `polling`), `intake` and
`ledger` (what arrived, checked), `histogram` and `outcome` (what it adds up to), and the reports.

All times here are whole microseconds of the monotonic clock. On Linux and macOS all processes of a machine
share that clock, so one worker can time what another has published.

Some files are tested through others: `contracts` by tests/load/test_client.py, `orders` and `worker` by
test_crew.py and test_command.py, `plan` by test_command.py, `summary` and each `report_…` by test_reports.py.
"""
