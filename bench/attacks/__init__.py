"""What an attacker costs everybody else: real servers, real sockets, figures.

The files, in the order of a run: `__main__` (the command), `target` (the server), `innocent` (the client that
is timed), `attacker` (the process of the attack), `attack` (what an attack is, and its connections) and
`catalogue` (the attacks). Each other file has the attacks of one kind.
"""
