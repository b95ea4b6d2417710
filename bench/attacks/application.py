"""A bus for ASGI servers: ``uvicorn bench.attacks.application:bus``."""

from mirant import Bus

bus = Bus()
