"""What a Bayeux server decides: sessions, subscriptions, the way of a message, deadlines.

Pure state. Nothing here knows a socket, a clock or an event loop: bytes and the time come in, answers and
deadlines go out. Times are seconds on any monotonic clock.
"""
