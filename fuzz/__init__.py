"""Fuzzing: any input is accepted, or refused with a documented error. `targets` says what, `run` does it."""
