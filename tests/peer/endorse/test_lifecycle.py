"""lscc: install, deploy, upgrade, and who may do it (fabric-wire.md §3.3 to §3.6)."""

from __future__ import annotations

from typing import cast

import grpc.aio
import pytest
from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeDeploymentSpec,
    ChaincodeSpec,
    LifecycleEvent,
)
from fabric_protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    StaticCollectionConfig,
)
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, ProposalResponsePayload
from fabric_protos.peer.query_pb2 import ChaincodeQueryResponse
from harness.onepeer import CHANNEL, OnePeer, puts
from harness.scripted_executor import outcome
from treadle_fabric.client import Endpoint, PeerConnection
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.packages import OWN_NUMBERS, sign_package, wrap_code, write_archive
from treadle_fabric.policy import signed_by_any_admin, signed_by_any_member
from treadle_peer.channels import ChaincodeDefinition
from treadle_peer.execution import Call, CallKind, ExecutionError, Outcome
from treadle_peer.server.endorser_grpc import ENDORSER_SERVICE, endorser_handlers
from treadle_peer.server.guard import Guard, StreamSet
from treadle_peer.services.endorser import EndorserService
from treadle_peer.services.metrics import Metrics


def action_of(answer: ProposalResponse) -> ChaincodeAction:
    payload = ProposalResponsePayload.FromString(answer.payload)
    return ChaincodeAction.FromString(payload.extension)


def sets_of(answer: ProposalResponse) -> dict[str, KVRWSet]:
    whole = TxReadWriteSet.FromString(action_of(answer).results)
    return {entry.namespace: KVRWSet.FromString(entry.rwset) for entry in whole.ns_rwset}


async def test_deploy_writes_the_definition_and_what_init_writes(peer: OnePeer) -> None:
    await peer.install("cc")
    peer.executor.scripts["cc"] = puts(a="100")
    _, answer = await peer.deploy("cc", args=[b"init", b"a"])
    init = peer.executor.inits[0]
    assert (init.kind, init.ccid, list(init.input.args)) == (
        CallKind.INIT,
        "cc:1",
        [b"init", b"a"],
    )
    sets = sets_of(answer)
    definition = ChaincodeDefinition.decode(answer.response.payload)
    assert sets["lscc"].writes[0].value == answer.response.payload
    assert [write.key for write in sets["cc"].writes] == ["a"]
    everybody = signed_by_any_member(["Org1MSP", "Org2MSP"])
    assert SignaturePolicyEnvelope.FromString(definition.policy) == everybody
    admins = signed_by_any_admin(["Org1MSP", "Org2MSP"])
    assert SignaturePolicyEnvelope.FromString(definition.instantiation_policy) == admins
    assert definition.data == peer.packages.get("cc", "1").data


async def test_only_an_error_message_of_init_stops_a_deploy(peer: OnePeer) -> None:
    await peer.install("cc")

    async def broken(call: Call) -> Outcome:
        return outcome(500, message="broken")

    async def failing(call: Call) -> Outcome:
        raise ExecutionError("transaction returned with failure: broken")

    peer.executor.scripts["cc"] = broken
    assert (await peer.deploy("cc"))[1].response.status == 200
    peer.executor.scripts["cc"] = failing
    _, answer = await peer.deploy("cc")
    assert answer.response.message == (
        "error in simulation: transaction returned with failure: broken"
    )


@pytest.mark.parametrize("status", [400, 500])
async def test_who_wants_init_to_succeed_gets_no_definition_when_it_says_that_it_failed(
    peer: OnePeer, status: int
) -> None:
    await peer.install("cc")

    async def broken(call: Call) -> Outcome:
        return outcome(status, message="broken")

    peer.executor.scripts["cc"] = broken
    proposal, _ = await peer.deploy("cc")
    answer = await peer.parts.endorser.process(proposal.signed, init_must_succeed=True)
    assert not answer.response.HasField("endorsement")
    assert answer.response.response.message == (
        f"error in simulation: Init answered with status {status}: broken"
    )
    peer.executor.scripts["cc"] = puts(a="100")
    answer = await peer.parts.endorser.process(proposal.signed, init_must_succeed=True)
    assert answer.response.HasField("endorsement")


async def test_a_client_asks_by_metadata_that_init_succeeds(peer: OnePeer) -> None:
    await peer.install("cc")

    async def broken(call: Call) -> Outcome:
        return outcome(500, message="broken")

    peer.executor.scripts["cc"] = broken
    proposal, _ = await peer.deploy("cc")
    metrics = Metrics(version="1", heights=dict)
    service = EndorserService(peer.parts.endorser, metrics.endorser)
    guard = Guard(ENDORSER_SERVICE, metrics=metrics.grpc, streams=StreamSet())
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((endorser_handlers(service, guard=guard),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with PeerConnection(Endpoint(address=f"127.0.0.1:{port}")) as connection:
            asked = [
                await connection.endorse(proposal.signed, init_must_succeed=must)
                for must in (False, True)
            ]
    finally:
        await server.stop(None)
    assert [answer.HasField("endorsement") for answer in asked] == [True, False]


async def test_installing_tells_whoever_waits(peer: OnePeer) -> None:
    seen: list[str] = []
    peer.parts.lscc.on_installed(lambda package: seen.append(package.ccid))
    await peer.install("cc")
    assert (await peer.install("cc")).response.status == 500
    assert seen == ["cc:1"]


async def test_python_packages_can_be_installed(peer: OnePeer) -> None:
    code = write_archive({"src/main.py": b"print()", "src/requirements.txt": b""})
    raw = wrap_code(name="py", version="1", language="python", path="p", code=code)
    _, answer = await peer.propose(
        "lscc", "install", raw, channel_id="", signer=peer.consortium.admin
    )
    assert answer.response.status == 200, answer.response.message
    assert peer.packages.get("py", "1").language == "python"


async def test_members_may_not_install(peer: OnePeer) -> None:
    _, answer = await peer.propose("lscc", "install", b"x", channel_id="")
    assert answer.response.message.startswith(
        "access denied for [install]: Failed verifying that proposal's creator satisfies "
        "local MSP principal during channelless check policy with policy [Admins]: ["
    )


async def test_an_upgrade_announces_itself(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    await peer.install("cc", "2")
    _, answer = await peer.deploy("cc", "2", verb="upgrade")
    event = ChaincodeEvent.FromString(action_of(answer).events)
    assert (event.chaincode_id, event.event_name) == ("lscc", "upgrade")
    assert LifecycleEvent.FromString(event.payload).chaincode_name == "cc"


async def test_the_instantiation_policy_of_a_signed_package_holds(peer: OnePeer) -> None:
    policy = signed_by_any_admin(["Org2MSP"]).SerializeToString(deterministic=True)
    cds = wrap_code(name="cc", version="1", language="car", path="p", code=b"")
    raw = sign_package(deployment_spec=cds, instantiation_policy=policy)
    await peer.propose("lscc", "install", raw, channel_id="", signer=peer.consortium.admin)
    _, answer = await peer.deploy("cc")
    assert answer.response.message == (
        "instantiation policy violation: signature set did not satisfy policy"
    )
    _, answer = await peer.deploy("cc", signer=peer.consortium.admin2)
    assert answer.response.status == 200


async def test_collections_are_refused_with_a_reason(peer: OnePeer) -> None:
    await peer.install("cc")
    collection = CollectionConfig(static_collection_config=StaticCollectionConfig(name="c"))
    deployment = Deployment(
        name="cc", version="1", collections=CollectionConfigPackage(config=[collection])
    )
    args = deployment_args("deploy", CHANNEL, deployment)
    _, answer = await peer.propose("lscc", *args, signer=peer.consortium.admin)
    assert "private data collections, which this peer does not support yet" in (
        answer.response.message
    )
    assert not peer.executor.inits


@pytest.mark.parametrize(("position", "plugin"), [(4, b"myescc"), (5, b"myvscc")])
async def test_unknown_plugins_are_refused(peer: OnePeer, position: int, plugin: bytes) -> None:
    await peer.install("cc")
    args = deployment_args("deploy", CHANNEL, Deployment(name="cc", version="1"))
    args[position] = plugin
    _, answer = await peer.propose("lscc", *args, signer=peer.consortium.admin)
    assert answer.response.message.startswith(f"plugin '{plugin.decode()}' is not known")


@pytest.mark.parametrize("number", sorted(OWN_NUMBERS))
async def test_our_own_packages_deploy_under_a_type_that_fabric_validates(
    peer: OnePeer, number: int
) -> None:
    await peer.install("cc")
    deployment = Deployment(name="cc", version="1", language_type=number)
    args = deployment_args("deploy", CHANNEL, deployment)
    _, answer = await peer.propose("lscc", *args, signer=peer.consortium.admin)
    assert answer.response.status == 200
    spec = ChaincodeDeploymentSpec.FromString(args[2])
    assert spec.chaincode_spec.type == ChaincodeSpec.GOLANG

    spec.chaincode_spec.type = cast("ChaincodeSpec.Type.ValueType", number)
    args[2] = spec.SerializeToString()
    _, answer = await peer.propose("lscc", *args, signer=peer.consortium.admin)
    assert "name GOLANG" in answer.response.message


async def test_a_deploy_for_another_channel_than_its_header_is_refused(peer: OnePeer) -> None:
    peer.channels.join(peer.consortium.genesis("second"))
    await peer.install("cc")
    args = deployment_args("deploy", "second", Deployment(name="cc", version="1"))
    _, answer = await peer.propose("lscc", *args, signer=peer.consortium.admin)
    assert answer.response.message == (
        "the proposal is for channel 'ch', but asks for deploy on channel 'second'"
    )


async def test_the_lists_show_what_is_installed_and_instantiated(peer: OnePeer) -> None:
    await peer.instantiate("b")
    await peer.instantiate("a")
    await peer.install("a", "2")
    _, answer = await peer.propose(
        "lscc", "getinstalledchaincodes", channel_id="", signer=peer.consortium.admin
    )
    installed = ChaincodeQueryResponse.FromString(answer.response.payload).chaincodes
    assert [(info.name, info.version) for info in installed] == [("a", "1"), ("a", "2"), ("b", "1")]
    assert all(info.id for info in installed)
    _, answer = await peer.propose("lscc", "getchaincodes")
    defined = ChaincodeQueryResponse.FromString(answer.response.payload).chaincodes
    assert [(info.name, info.version, info.path, info.vscc) for info in defined] == [
        ("a", "1", "p", "vscc"),
        ("b", "1", "p", "vscc"),
    ]


async def test_channels_of_the_new_lifecycle_are_read_only(peer: OnePeer) -> None:
    peer.channels.join(peer.consortium.genesis("newer", "V2_0"))
    await peer.install("cc")
    _, answer = await peer.deploy("cc", channel_id="newer")
    assert answer.response.message == (
        "Channel 'newer' has been migrated to the new lifecycle, LSCC is now read-only"
    )
