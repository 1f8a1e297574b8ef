"""Channels with Application capability V2_0: other rules, other codes."""

from __future__ import annotations

from typing import Any

import pytest
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.collection_pb2 import CollectionConfigPackage
from fabric_protos.peer.lifecycle.chaincode_definition_pb2 import (
    ChaincodeEndorsementInfo,
    ChaincodeValidationInfo,
)
from fabric_protos.peer.lifecycle.db_pb2 import StateData, StateMetadata
from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from google.protobuf.message import Message
from harness.both_peers import Pair, commit
from harness.crafting import Forgery, results, write_set
from treadle_fabric.policy import parse_policy

pytestmark = [
    pytest.mark.real_fabric,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("capability", ["V2_0"]),
]


def forge(pair: Pair, *endorsers: Any, **changes: Any) -> bytes:
    made = {
        "creator": pair.ours.consortium.client,
        "endorsers": endorsers,
        "results": results(("probe", write_set(writes={"k": "v"}))),
    }
    return Forgery(**(made | changes)).envelope()


def definition(name: str, policy: ApplicationPolicy) -> bytes:
    """What ``_lifecycle`` writes when a definition is committed."""

    def stored(message: Message) -> bytes:
        return StateData(Bytes=message.SerializeToString()).SerializeToString()

    fields = ["Collections", "EndorsementInfo", "Sequence", "ValidationInfo"]
    prefix = f"namespaces/fields/{name}/"
    writes: dict[str, str | bytes] = {
        f"namespaces/metadata/{name}": StateMetadata(
            datatype="ChaincodeDefinition", fields=fields
        ).SerializeToString(),
        prefix + "Sequence": StateData(Int64=1).SerializeToString(),
        prefix + "EndorsementInfo": stored(
            ChaincodeEndorsementInfo(version="1", endorsement_plugin="escc")
        ),
        prefix + "ValidationInfo": stored(
            ChaincodeValidationInfo(
                validation_plugin="vscc", validation_parameter=policy.SerializeToString()
            )
        ),
        prefix + "Collections": stored(CollectionConfigPackage()),
    }
    return results(("_lifecycle", write_set(writes=writes)))


async def test_the_rules_of_2_0_are_the_same(pair: Pair) -> None:
    consortium = pair.ours.consortium
    first, second = consortium.peer, consortium.peer2
    both = ApplicationPolicy(signature_policy=parse_policy("AND('Org1MSP.peer','Org2MSP.peer')"))
    default = ApplicationPolicy(channel_config_policy_reference="/Channel/Application/Endorsement")
    probe, other = definition("probe", both), definition("other", default)
    codes = await commit(
        pair,
        forge(pair, first, chaincode="_lifecycle", version="syscc", results=probe),
        forge(pair, first, second, chaincode="_lifecycle", version="syscc", results=probe),
        forge(pair, second, first, chaincode="_lifecycle", version="syscc", results=other),
        forge(pair, first, second),
        forge(pair, first, chaincode="lscc", results=b""),
        forge(pair, first, chaincode="qscc", results=b""),
        forge(pair, first, chaincode="vscc", results=b""),
    )
    assert codes[:4] == ["ENDORSEMENT_POLICY_FAILURE", "VALID", "VALID", "INVALID_CHAINCODE"]
    event = ChaincodeEvent(chaincode_id="other", event_name="e").SerializeToString()
    otherwise = results(("other", write_set(writes={"k": "v"})))
    system = results(("lscc", write_set(writes={"k": "v"})))
    codes = await commit(
        pair,
        forge(pair, first, second),
        forge(pair, first),
        forge(pair, first, second, version="old"),
        forge(pair, first, second, version=""),
        forge(pair, first, second, called=ChaincodeID(name="other", version="1")),
        forge(pair, first, second, events=event),
        forge(pair, first, second, chaincode="other", results=otherwise),
        forge(pair, second, chaincode="other", results=otherwise),
        forge(pair, first, second, results=otherwise),
        forge(pair, first, second, results=system),
        forge(pair, first, second, chaincode="nobody"),
        forge(pair, first, second, header_extension=b"\x12\x00"),
        forge(pair, first, second, header_extension=b""),
        forge(pair, first, second, results=b"\xff"),
    )
    assert codes[:3] == ["VALID", "ENDORSEMENT_POLICY_FAILURE", "VALID"]
    assert "INVALID_CHAINCODE" in codes
    policy = results(("probe", write_set(policies={"k": "Org2MSP"})))
    codes = await commit(pair, forge(pair, first, second, results=policy))
    codes = await commit(pair, forge(pair, first), forge(pair, second), forge(pair, first, second))
    assert codes == ["ENDORSEMENT_POLICY_FAILURE", "VALID", "VALID"]
