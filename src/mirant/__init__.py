"""Mirant: a message bus for web applications that speaks Bayeux, the protocol of CometD.

The names here are the public interface; their modules may move.
"""

from mirant.application import Bus
from mirant.bayeux.channels import Channel, ChannelInvalid, Pattern
from mirant.bus.extension import Extension
from mirant.bus.identity import Identity
from mirant.bus.session import Ending
from mirant.bus.veto import Veto
from mirant.extensions.ack import Ack
from mirant.extensions.activity import Activity
from mirant.extensions.binary import Binary, BinaryData
from mirant.extensions.timestamp import TimeStamp
from mirant.extensions.timesync import TimeSync
from mirant.options.settings import Settings
from mirant.options.values import SettingsError
from mirant.services import Caller, Handshake, RemoteError
from mirant.services.face import SessionFace as Session

__all__ = [
    "Ack",
    "Activity",
    "Binary",
    "BinaryData",
    "Bus",
    "Caller",
    "Channel",
    "ChannelInvalid",
    "Ending",
    "Extension",
    "Handshake",
    "Identity",
    "Pattern",
    "RemoteError",
    "Session",
    "Settings",
    "SettingsError",
    "TimeStamp",
    "TimeSync",
    "Veto",
]
