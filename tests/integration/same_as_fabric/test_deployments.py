"""Deployments and upgrades, honest and forged: both peers must judge them the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from harness.both_peers import Pair, commit, deploy, forge
from harness.crafting import results, write_set
from harness.onepeer import CHANNEL
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.identity import SigningIdentity
from treadle_peer.channels import ChaincodeDefinition

pytestmark = [pytest.mark.real_fabric, pytest.mark.timeout(120)]


async def test_upgrades_in_a_block_conflict_the_same(pair: Pair) -> None:
    ours, consortium = pair.ours, pair.ours.consortium
    await deploy(pair, "probe")
    await deploy(pair, "other")

    async def upgrade(language: int) -> bytes:
        deployment = Deployment(name="probe", version="2", language_type=language)
        args = deployment_args("upgrade", CHANNEL, deployment)
        proposal, answer = await ours.propose("lscc", *args, signer=consortium.admin)
        return bytes(ours.transaction(proposal, answer, signer=consortium.admin))

    node = await upgrade(2)
    golang = [await upgrade(1), await upgrade(1)]
    codes = await commit(
        pair,
        forge(pair),
        golang[0],
        forge(pair),
        golang[1],
        forge(pair, chaincode="other", results=b""),
    )
    assert codes == [
        "CHAINCODE_VERSION_CONFLICT",
        "CHAINCODE_VERSION_CONFLICT",
        "CHAINCODE_VERSION_CONFLICT",
        "VALID",
        "VALID",
    ]
    codes = await commit(pair, forge(pair), forge(pair, version="2"), node)
    assert codes[:2] == ["EXPIRED_CHAINCODE", "VALID"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentForger:
    """Makes deployments that differ from the *honest* one of an instantiated chaincode."""

    pair: Pair
    honest: ChaincodeDefinition

    def __call__(
        self,
        *,
        verb: str = "deploy",
        name: str = "third",
        version: str = "1",
        language: int = 1,
        written: dict[str, bytes] | None = None,
        creator: SigningIdentity | None = None,
        extra: tuple[bytes, ...] = (),
        more: tuple[tuple[str, KVRWSet], ...] = (),
        policy: bytes | None = None,
    ) -> bytes:
        definition = replace(self.honest, name=name, version=version)
        if policy is not None:
            definition = replace(definition, instantiation_policy=policy)
        content = write_set(writes={name: definition.encode()} if written is None else written)
        spec = Deployment(name=name, version=version, language_type=language)
        return forge(
            self.pair,
            chaincode="lscc",
            version="syscc",
            creator=creator or self.pair.ours.consortium.admin,
            args=[*deployment_args(verb, CHANNEL, spec), *extra],
            results=results(("lscc", content), *more),
        )


async def test_forged_deployments_are_judged_the_same(pair: Pair) -> None:
    consortium = pair.ours.consortium
    await deploy(pair, "probe")
    with pair.ours.channel().ledger.reader() as reader:
        stored = reader.get_state("lscc", "probe")
    assert stored is not None
    honest = ChaincodeDefinition.decode(stored)
    deployment = DeploymentForger(pair=pair, honest=honest)
    value = honest.encode()
    elsewhere = write_set(writes={"k": "v"})
    codes = await commit(
        pair,
        deployment(name="good"),
        deployment(name="probe"),
        deployment(creator=consortium.client),
        deployment(creator=consortium.admin2),
        deployment(verb="remove"),
        deployment(name="cscc"),
        deployment(name="bad name"),
        deployment(version="1/2"),
        deployment(language=0),
        deployment(language=2),
        deployment(written={}),
        deployment(written={"else": value}),
        deployment(written={"third": value}),
        deployment(written={"third": b"\xff"}),
        deployment(written={"third": value, "third~collection": b"x"}),
        deployment(policy=b""),
        deployment(policy=b"\xff"),
        deployment(more=(("third", elsewhere),)),
        deployment(more=(("probe", elsewhere),)),
        deployment(extra=(b"",)),
        deployment(extra=(b"x",)),
        deployment(extra=(b"", b"")),
        deployment(verb="upgrade", name="probe", version="2"),
        deployment(verb="upgrade", name="probe", version="1"),
        deployment(verb="upgrade", name="nobody"),
        deployment(verb="upgrade", name="probe", version="3", creator=consortium.client),
    )
    assert codes[0] == "VALID"
