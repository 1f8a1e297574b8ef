"""Definitions that another peer of the organisation endorsed: checks at every invoke (wire §3.7).

The script is that other peer. It has the key of a member, whose endorsement the channel accepts.
"""

from __future__ import annotations

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRead, KVRWSet, KVWrite
from fabric_protos.ledger.rwset.rwset_pb2 import NsReadWriteSet, TxReadWriteSet
from fabric_protos.peer.chaincode_pb2 import ChaincodeData
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, Response
from harness.differential.asking import ask, deployment, install, package
from harness.differential.catalog import conversation
from harness.differential.talk import Talk
from treadle_fabric.packages import parse_legacy_package, sign_package
from treadle_fabric.policy import signed_by_any_admin, signed_by_any_member
from treadle_fabric.wire import (
    build_proposal_response_payload,
    serialize,
    sign_endorsement,
    unpack_proposal,
)

HINT = "protos.ChaincodeQueryResponse"


def _definition(talk: Talk, raw: bytes, **changes: object) -> ChaincodeData:
    """What a deploy of the package *raw* would define, but for *changes*."""
    read = parse_legacy_package(raw)
    data = ChaincodeData(
        name=read.name,
        version=read.version,
        escc="escc",
        vscc="vscc",
        policy=signed_by_any_member(["Org1MSP"]),
        data=read.data,
        id=read.id,
        instantiation_policy=signed_by_any_admin(["Org1MSP"]),
    )
    data.MergeFrom(ChaincodeData(**changes))  # type: ignore[arg-type]
    return data


async def _define(talk: Talk, base: str, definition: ChaincodeData) -> str:
    """Order a deploy that writes *definition*, record its block; the channel."""
    channel = await talk.channel()
    proposal = deployment(talk, base, channel, version=definition.version)
    written = serialize(definition)
    content = KVRWSet(
        reads=[KVRead(key=definition.name)],
        writes=[KVWrite(key=definition.name, value=written)],
    )
    results = TxReadWriteSet(ns_rwset=[NsReadWriteSet(namespace="lscc", rwset=serialize(content))])
    response = Response(status=200, payload=written)
    payload = build_proposal_response_payload(
        proposal_hash=unpack_proposal(proposal.signed).hash,
        response=response,
        results=serialize(results),
        events=b"",
        chaincode_name="lscc",
        chaincode_version="syscc",
    )
    endorsed = ProposalResponse(response=response, payload=payload)
    endorsed.endorsement.CopyFrom(sign_endorsement(talk.cast.another_peer, payload))
    await talk.commit(proposal, endorsed, signer=talk.cast.admin)
    await talk.block(channel, talk.height(channel) - 1)
    return channel


async def _questions(talk: Talk, channel: str) -> None:
    await ask(talk, talk.name(), "go", channel=channel)
    for function in ("getid", "getdepspec"):
        await ask(talk, "lscc", function, channel, talk.name(), channel=channel)
    await ask(talk, "lscc", "getchaincodes", channel=channel, hint=HINT)


@conversation("notinstalled", "what is defined but not installed is not run", "3.7", "3.3")
async def not_installed(talk: Talk) -> None:
    raw = package(talk.name(), "1")
    channel = await _define(talk, "probe", _definition(talk, raw))
    await _questions(talk, channel)
    await talk.endorse(install(talk, raw).build())
    await ask(talk, "lscc", "getdepspec", channel, talk.name(), channel=channel)


@conversation("otherpackage", "the installed package must be the one that is defined", "3.7", "3.3")
async def other_package(talk: Talk) -> None:
    await talk.endorse(install(talk, package(talk.name(), "1")).build())
    changed = package(talk.name(), "1", files={"a": b"changed"})
    channel = await _define(talk, "probe", _definition(talk, changed))
    await _questions(talk, channel)


@conversation("otherpolicy", "a signed package's policy must be the one that is defined", "3.7")
async def other_policy(talk: Talk) -> None:
    rule = serialize(signed_by_any_member(["Org1MSP"]))
    raw = sign_package(deployment_spec=package(talk.name(), "1"), instantiation_policy=rule)
    await talk.endorse(install(talk, raw).build())
    channel = await _define(talk, "probe", _definition(talk, raw))
    await _questions(talk, channel)


@conversation("otherescc", "a definition's unknown endorsement plugin fails the endorsement", "3.7")
async def other_plugin(talk: Talk) -> None:
    raw = package(talk.name(), "1")
    await talk.endorse(install(talk, raw).build())
    channel = await _define(talk, "probe", _definition(talk, raw, escc="mine"))
    chaincode = await talk.registered(talk.ccid())
    for status in (200, 400, 500):
        async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as call:
            await call.complete(status)
    await ask(talk, "lscc", "getchaincodes", channel=channel, hint=HINT)


@conversation("foreigndeploy", "a deploy endorsed elsewhere serves here", "3.7")
async def deployed_elsewhere(talk: Talk) -> None:
    raw = package(talk.name(), "1")
    await talk.endorse(install(talk, raw).build())
    channel = await _define(talk, "probe", _definition(talk, raw))
    chaincode = await talk.registered(talk.ccid())
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as call:
        await call.complete()
