"""The Bayeux protocol as values: channels, messages, errors and advice.

Nothing here does I/O, holds state or knows a server; a client can use it as well as the bus does.
"""
