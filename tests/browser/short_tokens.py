"""The demo with tokens that hold for seconds: ``mirant serve tests.browser.short_tokens:bus``."""

from mirant.demo.app import create_bus
from mirant.demo.tokens import Issuer

LIFETIME = 4.0  # seconds; pages renew at a quarter of it

bus = create_bus(issuer=Issuer(lifetime=LIFETIME))
