"""Filters change the data of a message, or refuse the message, before anyone gets it."""

from mirant.policy.filters.chain import Chain
from mirant.policy.filters.contract import Dropped, Filter
from mirant.policy.filters.reading import read_filters

__all__ = ["Chain", "Dropped", "Filter", "read_filters"]
