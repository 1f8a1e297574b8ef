"""Endorsement policies, and which endorsements count (wire §5.5)."""

from __future__ import annotations

from fabric_protos.peer.proposal_response_pb2 import Endorsement
from harness.crafting import results, write_set
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation
from harness.differential.material import FixedSigner

OTHER = results(("other", write_set(writes={"k": "v"})))
BOTH = results(("other", write_set(writes={"k": "v"})), ("probe", write_set(writes={"k": "v"})))


async def every_set(talk: BlocksTalk, policy: str) -> None:
    """One transaction for each interesting set of endorsers, under *policy*."""
    cast = talk.cast
    await talk.open(policy=policy)
    sets: list[list[FixedSigner]] = [
        [],
        [cast.peer],
        [cast.peer2],
        [cast.client],
        [cast.admin],
        [cast.peer, cast.peer2],
        [cast.peer2, cast.peer],
        [cast.peer, cast.another_peer],
        [cast.client, cast.client2],
        [cast.admin, cast.admin2],
        [cast.peer, cast.orderer],
        [cast.stranger, cast.false_admin],
    ]
    await talk.commit(*(talk.forge(endorsers=endorsers) for endorsers in sets))


POLICIES = {
    "poland": "AND('Org1MSP.peer','Org2MSP.peer')",
    "polor": "OR('Org1MSP.peer','Org2MSP.admin')",
    "poloutof": "OutOf(2,'Org1MSP.member','Org2MSP.member','OrdererMSP.member')",
    "polclient": "OR('Org1MSP.client','Org2MSP.client')",
    "poladmin": "AND('Org1MSP.admin','Org2MSP.admin')",
    "poltwice": "AND('Org1MSP.peer','Org1MSP.peer')",
    "polnested": "OR(AND('Org1MSP.peer','Org2MSP.peer'),AND('Org1MSP.admin','Org2MSP.admin'))",
    "polorderer": "AND('Org1MSP.peer','OrdererMSP.orderer')",
    "polnobody": "OutOf(0,'Org1MSP.peer')",
    "polmore": "OutOf(3,'Org1MSP.peer','Org2MSP.peer','Org1MSP.member')",
    "polforeign": "OR('Org9MSP.member','Org1MSP.peer')",
}
for _key, _policy in POLICIES.items():

    @conversation(_key, f"endorsements are judged by {_policy}", "5.5", rig="blocks")
    async def _judged(talk: BlocksTalk) -> None:
        await every_set(talk, POLICIES[talk.key])


@conversation(
    "poldefault", "without a policy of its own any member endorses a chaincode", "5.5", rig="blocks"
)
async def default(talk: BlocksTalk) -> None:
    await every_set(talk, "")


@conversation("polsame", "one endorser counts once, however often it signs", "5.5", rig="blocks")
async def duplicates(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open(policy="AND('Org1MSP.peer','Org1MSP.peer')")
    await talk.commit(
        talk.forge(cast.peer, cast.peer),
        talk.forge(cast.peer, cast.another_peer),
        talk.forge(cast.peer, cast.peer, cast.another_peer),
        talk.forge(*[cast.peer] * 10, cast.another_peer, cast.peer2),
    )


@conversation(
    "polbroken", "endorsements that are not good do not spoil the good ones", "5.5", rig="blocks"
)
async def broken(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open(policy="AND('Org1MSP.peer','Org2MSP.peer')")
    await talk.commit(
        talk.forge(cast.stranger, cast.peer, cast.peer2),
        talk.forge(cast.peer, cast.expired, cast.peer2),
        talk.forge(cast.peer, cast.peer2, endorsement_payload=b"something else"),
        talk.forge(cast.peer, cast.peer2, endorsement_payload=b""),
    )
    for identity in (b"", b"\xff", b"no identity", cast.peer.serialize()[:-60]):
        entry = Endorsement(endorser=identity, signature=b"x")
        await talk.commit(talk.forge(endorsements=[entry]))


@conversation("polroles", "a role is decided by the unit in the certificate", "5.5", rig="blocks")
async def roles(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open(policy="OR('Org1MSP.peer')")
    everybody = (cast.peer, cast.another_peer, cast.client, cast.admin, cast.expired)
    await talk.commit(*(talk.forge(each) for each in everybody))


@conversation(
    "polwritten", "each written namespace needs its own chaincode's endorsers", "5.5", rig="blocks"
)
async def written(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open(deployed=())
    await talk.commit(
        talk.deployment("probe", policy="OR('Org1MSP.peer')"),
        talk.deployment("other", policy="OR('Org2MSP.peer')"),
    )
    await talk.commit(
        talk.forge(cast.peer, results=OTHER),
        talk.forge(cast.peer2, results=OTHER),
        talk.forge(cast.peer, cast.peer2, results=OTHER),
        talk.forge(cast.peer, results=BOTH),
        talk.forge(cast.peer2, results=BOTH),
        talk.forge(cast.peer, cast.peer2, results=BOTH),
        talk.forge(cast.peer, chaincode="other", results=BOTH),
        talk.forge(cast.peer2, chaincode="other", results=OTHER),
        talk.forge(cast.peer2, results=b""),
        talk.forge(cast.peer, results=b""),
    )


@conversation(
    "polreads", "reading a chaincode's keys needs none of its endorsers", "5.5", rig="blocks"
)
async def reads(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open(deployed=())
    await talk.commit(
        talk.deployment("probe", policy="OR('Org1MSP.peer')"),
        talk.deployment("other", policy="OR('Org2MSP.peer')"),
    )
    read = results(("other", write_set(reads={"k": None})))
    await talk.commit(talk.forge(cast.peer, results=read), talk.forge(cast.peer2, results=read))
