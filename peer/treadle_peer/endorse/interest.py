"""Which policies a simulated transaction will have to satisfy: for gateways (§4.4, §5.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.peer.proposal_response_pb2 import ChaincodeCall, ChaincodeInterest
from treadle_fabric.wire import parse, parse_namespaces

from treadle_peer.channels import LIFECYCLE_NAMESPACE

_PARAMETER = "VALIDATION_PARAMETER"

Metadata = Callable[[str, str], Mapping[str, bytes]]


def chaincode_interest(
    results: bytes, *, metadata: Metadata, is_system: Callable[[str], bool]
) -> ChaincodeInterest:
    """One call per application namespace in *results*, with the policies of the written keys.

    *metadata* gives a committed key's entries. A namespace all of whose written keys have
    policies of their own is marked so.
    """
    calls = [
        _call(entry.rest.namespace, parse(KVRWSet, entry.public), metadata)
        for entry in parse_namespaces(results)
        if entry.rest.namespace != LIFECYCLE_NAMESPACE and not is_system(entry.rest.namespace)
    ]
    return ChaincodeInterest(chaincodes=calls)


def _call(namespace: str, public: KVRWSet, metadata: Metadata) -> ChaincodeCall:
    call = ChaincodeCall(name=namespace)
    keys = list(dict.fromkeys(_written(public)))
    for key in keys:
        parameter = metadata(namespace, key).get(_PARAMETER)
        if parameter:
            call.key_policies.append(parse(SignaturePolicyEnvelope, parameter))
    call.disregard_namespace_policy = bool(keys) and len(call.key_policies) == len(keys)
    return call


def _written(public: KVRWSet) -> Iterator[str]:
    yield from (write.key for write in public.writes)
    yield from (change.key for change in public.metadata_writes)
