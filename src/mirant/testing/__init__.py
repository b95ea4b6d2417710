"""What applications use to test themselves against a bus: a proxy that breaks connections on purpose."""

from mirant.testing.fault_proxy import FaultProxy
from mirant.testing.faults import Direction, Fault, Kind, Plan, faultless, once, randomly

__all__ = ["Direction", "Fault", "FaultProxy", "Kind", "Plan", "faultless", "once", "randomly"]
