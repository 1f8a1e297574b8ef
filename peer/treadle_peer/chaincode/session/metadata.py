"""GET_STATE_METADATA, PUT_STATE_METADATA: key-level endorsement (fabric-wire.md §1.4)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import (
    GetStateMetadata,
    PutStateMetadata,
    StateMetadata,
    StateMetadataResult,
)

from treadle_peer.chaincode.session.private_data import refuse_collection
from treadle_peer.chaincode.session.replies import RequestFailed, parse
from treadle_peer.chaincode.session.requests import Request

NOT_ENABLED = (
    "key level endorsement is not enabled, channel application capability of V1_3 or later is"
    " required"
)


def get_state_metadata(request: Request) -> bytes:
    """All metadata entries of a key, possibly none."""
    _check_capability(request)
    wanted = parse(GetStateMetadata, request.payload)
    refuse_collection(request, wanted.collection)
    entries = request.simulator.get_state_metadata(request.namespace, wanted.key)
    result = StateMetadataResult(
        entries=[StateMetadata(metakey=name, value=entries[name]) for name in sorted(entries)]
    )
    return result.SerializeToString()


def put_state_metadata(request: Request) -> bytes:
    """Record the entry; it replaces all entries of the key, as in Fabric."""
    _check_capability(request)
    write = parse(PutStateMetadata, request.payload)
    if not write.HasField("metadata"):
        raise RequestFailed("no metadata in the request")
    refuse_collection(request, write.collection)
    entry = {write.metadata.metakey: write.metadata.value}
    request.simulator.set_state_metadata(request.namespace, write.key, entry)
    return b""


def _check_capability(request: Request) -> None:
    if not request.call.key_level_endorsement:
        raise RequestFailed(NOT_ENABLED)
