"""What is unusual about a session or about the whole bus, as bits of one number.

Nearly every message belongs to a session about which nothing is unusual. For those, one test of one number
(`if not session.traits`) replaces a test for each of the things below. Whoever makes a session unusual marks
it (`Session.mark`), and unmarks it when that is over.
"""

from __future__ import annotations

from typing import Final

# --- Of a session ---

#: The first /meta/connect is still to come; it is answered at once.
NEW: Final = 1
#: The bus does not know the session any more.
ENDED: Final = 2
#: Deliveries can be pushed into a connection: the session has a `Link`.
LINKED: Final = 4
#: Deliveries leave with answers to /meta/connect only.
CONNECT_ONLY: Final = 8
#: An extension of the session's own sees its messages, or keeps what it was sent.
EXTENDED: Final = 16
#: The client has to be told our advice for long-polling.
UNADVISED: Final = 32
#: It is to be asked whether the session's browser has a connection to spare for its poll.
UNPLACED: Final = 64
#: The client was told that its browser has other windows.
CROWDED: Final = 128
#: The application wants connects answered at once: the timeout is 0.
UNHELD: Final = 256

#: With any of these, deliveries cannot be written to the session's link as they are.
UNPUSHABLE: Final = ENDED | CONNECT_ONLY | EXTENDED

# --- Of the bus ---

#: The server is going away: no connect is held any more.
CLOSING: Final = 1
#: A connect may bring a fresh credential.
RENEWING: Final = 2
#: An extension of the bus has to see connects that say nothing of their own.
WATCHED: Final = 4
