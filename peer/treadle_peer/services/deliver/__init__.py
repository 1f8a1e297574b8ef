"""Deliver services: a cursor without I/O, response encoding, and the loop that joins them."""

from treadle_peer.services.deliver.responses import (
    Content,
    block_response,
    filter_block,
    status_response,
)
from treadle_peer.services.deliver.seek import (
    Action,
    DeliverCursor,
    DeliverRefused,
    Step,
    parse_seek_info,
    unpack_seek,
)
from treadle_peer.services.deliver.service import (
    AccessDenied,
    BlockSource,
    ClientInfo,
    DeliverService,
)

__all__ = [
    "AccessDenied",
    "Action",
    "BlockSource",
    "ClientInfo",
    "Content",
    "DeliverCursor",
    "DeliverRefused",
    "DeliverService",
    "Step",
    "block_response",
    "filter_block",
    "parse_seek_info",
    "status_response",
    "unpack_seek",
]
