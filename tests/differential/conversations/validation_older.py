"""Validation on channels with older Application capabilities (wire §5.5, §5.4)."""

from __future__ import annotations

from dataclasses import replace

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.proposal_response_pb2 import Endorsement
from harness.crafting import results, write_set
from harness.differential.blocks_crafting import definition
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.policy import parse_policy
from treadle_fabric.wire import serialize

LEVELS = {
    "oldnone": "",
    "oldv11": "V1_1",
    "oldpvt": "V1_1,V1_1_PVTDATA_EXPERIMENTAL",
    "oldv12": "V1_2",
    "oldv13": "V1_3",
}
WRITTEN = write_set(writes={"k": "v"})


async def on_level(talk: BlocksTalk, level: str) -> None:
    """Everything that depends on a capability, on one channel."""
    cast = talk.cast
    await talk.open(level, deployed=("probe", "other"), policy="OR('Org1MSP.peer')")
    twice, foreign = talk.change(a="1"), ChaincodeEvent(chaincode_id="other", event_name="e")
    await talk.commit(twice, twice)
    await talk.commit(
        talk.forge(events=foreign.SerializeToString()),
        talk.forge(events=b"\xff"),
        talk.forge(cast.peer2, results=b""),
        talk.forge(version="9", results=b""),
        talk.forge(cast.peer2, version="9", results=results(("other", WRITTEN))),
        talk.forge(results=results(("other", WRITTEN))),
        talk.forge(results=results(("probe", WRITTEN), ("probe", WRITTEN))),
        talk.forge(results=results(("lscc", WRITTEN))),
        talk.forge(results=results(("nobody", WRITTEN))),
        talk.forge(chaincode="qscc", results=b""),
    )
    await talk.commit(talk.change(policies={"a": "Org2MSP"}))
    await talk.commit(
        talk.change(cast.peer, a="2"),
        talk.change(cast.peer2, a="3"),
        talk.change(cast.peer2, policies={"a": "Org1MSP"}),
        talk.forge(cast.peer2, results=results(("lscc", write_set(policies={"x": "Org1MSP"})))),
    )
    broken = Endorsement(endorser=b"\xff", signature=b"x")
    good = Endorsement(endorser=cast.peer.serialize(), signature=b"x")
    await talk.commit(talk.forge(endorsements=[broken]), talk.forge(endorsements=[good, broken]))
    await talk.probe("get a", "range a z")


for _key, _level in LEVELS.items():

    @conversation(
        _key, f"validation with capability {_level or 'none'}", "5.5", "5.4", rig="blocks"
    )
    async def _levelled(talk: BlocksTalk) -> None:
        await on_level(talk, LEVELS[talk.key])


async def deployments(talk: BlocksTalk, level: str) -> None:
    """What of lscc depends on a capability."""
    cast = talk.cast
    await talk.open(level)

    def deploying(
        name: str, version: str = "1", *, verb: str = "deploy", package: bytes, policy: str = ""
    ) -> bytes:
        value = definition(name, version)
        if policy:
            value = replace(value, instantiation_policy=serialize(parse_policy(policy)))
        content = write_set(writes={name: value.encode()})
        if package:
            content.writes.add(key=f"{name}~collection", value=package)
        args = deployment_args(verb, talk.channel, Deployment(name=name, version=version))
        if package:
            args.append(package)
        return talk.deployment(
            name, version, verb=verb, args=args, results=results(("lscc", content))
        )

    await talk.commit(deploying("plain", package=b""))
    await talk.commit(deploying("collected", package=b"\x0a\x00"))
    args = deployment_args("deploy", talk.channel, Deployment(name="third", version="1"))
    await talk.commit(talk.deployment("third", args=[*args, b""]))
    foreign = "OR('Org2MSP.admin')"
    await talk.commit(deploying("probe", "2", verb="upgrade", package=b"", policy=foreign))
    await talk.commit(deploying("plain", "2", verb="upgrade", package=b"\x0a\x00"))
    two = [talk.deployment("plain", version, verb="upgrade") for version in ("3", "4")]
    await talk.commit(*two, talk.forge(cast.peer, chaincode="plain", results=b""))
    await talk.ask("lscc", "getchaincodes", hint="protos.ChaincodeQueryResponse")


for _key, _level in LEVELS.items():

    @conversation(
        f"{_key}lscc", f"deployments with capability {_level or 'none'}", "3.8", rig="blocks"
    )
    async def _deployed(talk: BlocksTalk) -> None:
        await deployments(talk, LEVELS[talk.key.removesuffix("lscc")])
