"""For applications that test themselves against a bus: a proxy that breaks connections on purpose."""

from mirant.testing.fault_proxy import FaultProxy
from mirant.testing.faults import ConnectionFault, Direction, FaultKind, FaultPlan, faultless, once, randomly

__all__ = [
    "ConnectionFault",
    "Direction",
    "FaultKind",
    "FaultPlan",
    "FaultProxy",
    "faultless",
    "once",
    "randomly",
]
