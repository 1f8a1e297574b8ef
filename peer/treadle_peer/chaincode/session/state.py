"""GET_STATE, PUT_STATE, DEL_STATE (fabric-wire.md §1.4)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import DelState, GetState, PutState

from treadle_peer.chaincode.session.private_data import refuse_collection
from treadle_peer.chaincode.session.replies import parse
from treadle_peer.chaincode.session.requests import Request


def get_state(request: Request) -> bytes:
    """The committed value; a missing key is an empty payload, not an error."""
    wanted = parse(GetState, request.payload)
    refuse_collection(request, wanted.collection)
    return request.simulator.get_state(request.namespace, wanted.key) or b""


def put_state(request: Request) -> bytes:
    """Record a write; the empty key is accepted as on a real peer."""
    write = parse(PutState, request.payload)
    refuse_collection(request, write.collection)
    request.simulator.set_state(request.namespace, write.key, write.value)
    return b""


def del_state(request: Request) -> bytes:
    """Record a delete."""
    delete = parse(DelState, request.payload)
    refuse_collection(request, delete.collection)
    request.simulator.delete_state(request.namespace, delete.key)
    return b""
