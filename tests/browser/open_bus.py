"""A bus at which anybody may do anything: ``mirant serve tests.browser.open_bus:bus``."""

from mirant import Bus

bus = Bus()
