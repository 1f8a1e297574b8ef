"""How honestly endorsed transactions to lscc are judged in blocks (wire §3.8, §3.5)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import PutState
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from harness.differential.asking import ask, deployment
from harness.differential.catalog import conversation
from harness.differential.chaincode import Chaincode
from harness.differential.talk import Talk
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.policy import parse_policy
from treadle_fabric.wire import BuiltProposal


async def _initialised(
    talk: Talk, chaincode: Chaincode, proposal: BuiltProposal
) -> ProposalResponse:
    """The endorsement of a deployment whose Init writes its own transaction's id."""
    async with chaincode.transaction(proposal) as init:
        await init.ask(Msg.PUT_STATE, PutState(key="k", value=init.call.txid.encode()))
        await init.complete()
    assert init.answer is not None
    return init.answer


async def _order(talk: Talk, channel: str, *endorsed: tuple[BuiltProposal, object]) -> None:
    """Each in a block of its own, by the admin, recorded."""
    for proposal, answer in endorsed:
        await talk.commit(proposal, answer, signer=talk.cast.admin)  # type: ignore[arg-type]
        await talk.block(channel, talk.height(channel) - 1)


@conversation("twodeploys", "of two endorsed deploys the first one ordered counts", "3.8")
async def two_deploys(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    proposals = [deployment(talk, "probe", channel) for _ in range(2)]
    answers = [await _initialised(talk, chaincode, proposal) for proposal in proposals]
    await _order(talk, channel, *zip(proposals, answers, strict=True))
    await ask(talk, "lscc", "getccdata", channel, talk.name(), channel=channel)


@conversation("twoupgrades", "of two endorsed upgrades the first one ordered counts", "3.8")
async def two_upgrades(talk: Talk) -> None:
    await talk.deployed("probe")
    channel = await talk.channel()
    serving = {}
    for version in ("2", "3"):
        await talk.quietly_install("probe", version)
        serving[version] = await talk.registered(talk.ccid(version=version))
    endorsed = []
    for version in ("2", "3", "2"):
        proposal = deployment(talk, "probe", channel, verb="upgrade", version=version)
        endorsed.append((proposal, await _initialised(talk, serving[version], proposal)))
    await _order(talk, channel, *endorsed)
    await ask(talk, "lscc", "getid", channel, talk.name(), channel=channel)


@conversation("lsccqueries", "questions to lscc may be ordered, but are no deployments", "3.8")
async def queries(talk: Talk) -> None:
    await talk.deployed("probe")
    channel = await talk.channel()
    for args in (("getid", channel, talk.name()), ("getchaincodes",)):
        proposal = talk.proposal("lscc", *args, channel=channel, signer=talk.cast.admin)
        await _order(talk, channel, (proposal, await talk.endorse(proposal)))


@conversation("deployrace", "an invoke of the old version after an upgrade is invalid", "3.8")
async def invoke_after_upgrade(talk: Talk) -> None:
    old = await talk.deployed("probe")
    channel = await talk.channel()
    proposal = talk.proposal(talk.name(), "go", channel=channel, signer=talk.cast.admin)
    stale = (proposal, await _initialised(talk, old, proposal))
    await talk.quietly_install("probe", "2")
    new = await talk.registered(talk.ccid(version="2"))
    upgrade = deployment(talk, "probe", channel, verb="upgrade", version="2")
    await _order(talk, channel, (upgrade, await _initialised(talk, new, upgrade)), stale)


@conversation("policyunmet", "what misses the defined policy is invalid", "3.8", "3.5")
async def policy_unmet(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    policy = parse_policy("AND('Org1MSP.peer', 'Org1MSP.admin')")
    proposal = deployment(talk, "probe", channel, policy=policy)
    await _order(talk, channel, (proposal, await _initialised(talk, chaincode, proposal)))
    call = talk.proposal(talk.name(), "go", channel=channel, signer=talk.cast.admin)
    await _order(talk, channel, (call, await _initialised(talk, chaincode, call)))


@conversation("policyrubbish", "a deploy with an unreadable endorsement policy is judged", "3.8")
async def policy_rubbish(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    spec = deployment_args("deploy", channel, Deployment(name=talk.name(), version="1"))[2]
    args = ("deploy", channel, spec, b"\xff\xff")
    proposal = talk.proposal("lscc", *args, channel=channel, signer=talk.cast.admin)
    await _order(talk, channel, (proposal, await _initialised(talk, chaincode, proposal)))
    await ask(talk, "lscc", "getccdata", channel, talk.name(), channel=channel)
