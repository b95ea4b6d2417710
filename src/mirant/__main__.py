"""``python -m mirant``: the command line."""

from mirant.cli import main

main()
