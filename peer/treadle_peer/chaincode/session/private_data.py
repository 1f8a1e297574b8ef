"""Private data: no channel defines collections yet, so each access gets Fabric's refusal.

The order of the checks is Fabric's: capability, payload, ``Init`` rule, existence
(fabric-wire.md §1.4).
"""

from __future__ import annotations

from typing import NoReturn

from fabric_protos.peer.chaincode_shim_pb2 import GetState, PurgePrivateState

from treadle_peer.chaincode.session.replies import RequestFailed, parse
from treadle_peer.chaincode.session.requests import Request
from treadle_peer.channels import LEGACY_NAMESPACE, LIFECYCLE_NAMESPACE, collection_key

IN_INIT = "private data APIs are not allowed in chaincode Init()"
NO_PURGE = (
    "purge private data is not enabled, channel application capability of V2_5 or later is required"
)


def refuse_collection(request: Request, collection: str) -> None:
    """Let requests for public state through; raises RequestFailed for any collection."""
    if collection:
        _undefined(request, collection)


def get_private_data_hash(request: Request) -> bytes:
    """Always fails: the chaincode has no collections."""
    parse(GetState, request.payload)
    _look_up(request)
    raise RequestFailed(
        f"collection config not defined for chaincode [{request.namespace}], pass the collection"
        " configuration upon chaincode definition/instantiation"
    )


def purge_private_data(request: Request) -> bytes:
    """Always fails: capability, then the collection."""
    if not request.call.purge_private_data:
        raise RequestFailed(NO_PURGE)
    collection = parse(PurgePrivateState, request.payload).collection
    if not collection:
        raise RequestFailed("only applicable for private data")
    _undefined(request, collection)


def _undefined(request: Request, collection: str) -> NoReturn:
    _look_up(request)
    name = f"{request.call.channel_id}/{request.namespace}/{collection}"
    raise RequestFailed(f"collection {name} could not be found")


def _look_up(request: Request) -> None:
    """Look for the chaincode's collections where Fabric does: its reads are in the results."""
    if request.transaction.initialising:
        raise RequestFailed(IN_INIT)
    state, name = request.simulator, request.namespace
    state.get_state(LIFECYCLE_NAMESPACE, f"namespaces/metadata/{name}")
    state.get_state(LEGACY_NAMESPACE, name)
    state.get_state(LEGACY_NAMESPACE, collection_key(name))
