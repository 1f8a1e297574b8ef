"""An asyncio client for Fabric networks, over gRPC; usable on its own.

``PeerConnection`` and ``OrdererConnection`` are one server each, ``Channel`` is what an
application works with, ``PeerAdministration`` what an administrator does. Every wait has a
deadline in seconds (``within``); whatever fails raises a ``ClientError``.
"""

from treadle_fabric.client.administration import PeerAdministration
from treadle_fabric.client.channel import Argument, Channel, Deadlines, Endorsed, Receipt, as_bytes
from treadle_fabric.client.commits import Commit, CommitWatch
from treadle_fabric.client.configupdates import (
    InvalidUpdate,
    read_config_update,
    sign_config_update,
)
from treadle_fabric.client.endpoints import Endpoint, TLSOptions, parse_address
from treadle_fabric.client.errors import (
    BroadcastRefused,
    CallFailed,
    ClientError,
    ConnectionFailed,
    DeadlinePassed,
    DeliverRefused,
    EndorsementFailed,
    NotCommitted,
    StreamClosed,
    status_name,
    validation_code_name,
)
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.client.orderer import OrdererConnection
from treadle_fabric.client.peer import PeerConnection
from treadle_fabric.client.seeking import FOREVER, Position, position, seek_request
from treadle_fabric.client.streams import DeliverStream

__all__ = [
    "FOREVER",
    "Argument",
    "BroadcastRefused",
    "CallFailed",
    "Channel",
    "ClientError",
    "Commit",
    "CommitWatch",
    "ConnectionFailed",
    "DeadlinePassed",
    "Deadlines",
    "DeliverRefused",
    "DeliverStream",
    "Deployment",
    "Endorsed",
    "EndorsementFailed",
    "Endpoint",
    "InvalidUpdate",
    "NotCommitted",
    "OrdererConnection",
    "PeerAdministration",
    "PeerConnection",
    "Position",
    "Receipt",
    "StreamClosed",
    "TLSOptions",
    "as_bytes",
    "deployment_args",
    "parse_address",
    "position",
    "read_config_update",
    "seek_request",
    "sign_config_update",
    "status_name",
    "validation_code_name",
]
