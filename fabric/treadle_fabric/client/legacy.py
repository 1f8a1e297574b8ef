"""The calls of the legacy lifecycle and of the system chaincodes: pure argument lists.

``lscc``, ``cscc`` and ``qscc`` are called like any chaincode (fabric-wire.md §3.3, §4.7).
"""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeDeploymentSpec,
    ChaincodeID,
    ChaincodeInput,
    ChaincodeSpec,
)
from fabric_protos.peer.collection_pb2 import CollectionConfigPackage

from treadle_fabric.wire import serialize


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What instantiate and upgrade say about a chaincode.

    ``language_type`` is the number of the package's ChaincodeSpec.Type. ``policy`` None means
    that any member of the channel endorses.
    """

    name: str
    version: str
    args: tuple[bytes, ...] = ()
    path: str = ""
    language_type: int = ChaincodeSpec.GOLANG
    policy: SignaturePolicyEnvelope | None = None
    collections: CollectionConfigPackage | None = None
    escc: str = "escc"
    vscc: str = "vscc"


def deployment_args(verb: str, channel_id: str, deployment: Deployment) -> list[bytes]:
    """Arguments of lscc *verb* (``deploy`` or ``upgrade``), as Fabric's clients send them."""
    spec = ChaincodeSpec(
        chaincode_id=ChaincodeID(
            path=deployment.path, name=deployment.name, version=deployment.version
        ),
        input=ChaincodeInput(args=deployment.args),
    )
    spec.type = _deployable_type(deployment.language_type)
    args = [
        verb.encode(),
        channel_id.encode(),
        serialize(ChaincodeDeploymentSpec(chaincode_spec=spec)),
        serialize(deployment.policy) if deployment.policy is not None else b"",
        deployment.escc.encode(),
        deployment.vscc.encode(),
    ]
    if deployment.collections is not None:
        args.append(serialize(deployment.collections))
    return args


def _deployable_type(number: int) -> ChaincodeSpec.Type.ValueType:
    """What a deploy may name: Fabric's validation marks every other number invalid.

    Only the installed package decides how a chaincode is built, so a Python one deploys as Go.
    """
    if number in (ChaincodeSpec.NODE, ChaincodeSpec.CAR, ChaincodeSpec.JAVA):
        return ChaincodeSpec.Type.ValueType(number)
    return ChaincodeSpec.GOLANG
