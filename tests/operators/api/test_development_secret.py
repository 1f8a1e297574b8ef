"""A developer's Secret, kept by what real peers issue: whatever fails, what is in it counts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from harness.operating.chaincodes import package, stored_instantiation
from harness.operating.fixtures import Cluster
from harness.operating.links import Heard, linked
from harness.operating.stored import stored_peer
from harness.operating.world import Namespace, secret_bytes
from harness.operators import operator_settings
from harness.peers import PeerProcess, Peers
from treadle_operator.definitions import Wanted
from treadle_operator.errors import NotLeading, PeerRefused
from treadle_operator.kube import Kube, connect
from treadle_operator.model import parse_instantiation, parse_peer
from treadle_operator.model.developing import DevelopmentPolicy
from treadle_operator.peers.connections import Connections
from treadle_operator.reconcile.deploying import Wish
from treadle_operator.reconcile.development_secret import Opened, keep_secret
from treadle_operator.reconcile.world import World
from treadle_operator.resources import Images

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(120)]

GIVEN = {
    "identity": {"mspSecretRef": {"name": "msp"}, "adminSecretRef": {"name": "admin"}},
    "tls": {"enabled": True, "secretRef": {"name": "tls"}},
}
CCID = "asset:1.0"


@dataclass
class Developed:
    """The instantiation ``asset`` in development at two peers, at a time that the test sets."""

    space: Namespace
    kube: Kube
    wish: Wish
    peers: dict[str, PeerProcess]
    opened: dict[str, Opened]
    now: datetime

    async def open(self, name: str) -> None:
        """The peer leaves the chaincode to developers."""
        link = self.opened[name].link
        holder = self.wish.instantiation.meta.uid
        policy = DevelopmentPolicy(
            ccid=CCID, execute_timeout=None, start_line="", holders=(holder,)
        )
        await link.apply_policies([policy])

    async def keep(self, *names: str, unknown: Collection[str] = ()) -> datetime | None:
        """With these peers opened, and all but the *unknown* in production."""
        world = World(
            kube=self.kube,
            peers=Connections(self.kube, lambda namespace: 1),
            images=Images(peer="peer"),
            certificate_lifetime=timedelta(days=1),
            now=lambda: self.now,
        )
        opened = [self.opened[name] for name in names]
        return await keep_secret(world, self.wish, opened, unknown=unknown)

    def secret(self) -> dict[str, bytes]:
        return secret_bytes(self.space.get("Secret", "asset-dev"))

    def counting(self, name: str) -> list[str]:
        """The fingerprints that count at a peer."""
        file = self.peers[name].data / "chaincode" / "authority" / "issued.json"
        rows = json.loads(file.read_text()) if file.exists() else []
        return [row["fingerprint"] for row in rows if not row["retired"]]


def of_peer(secret: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {key: value for key, value in secret.items() if key.startswith(f"{name}.")}


def peers_in(secret: dict[str, bytes]) -> list[str]:
    return [row["peer"] for row in json.loads(secret["peers.json"])]


def fingerprint(pem: bytes) -> str:
    return x509.load_pem_x509_certificate(pem).fingerprint(SHA256()).hex()


@pytest.fixture
async def developed(cluster: Cluster, space: Namespace, tmp_path: Path) -> AsyncIterator[Developed]:
    body = stored_instantiation(mode="Development")
    body["metadata"]["namespace"] = space.name
    wish = Wish(
        instantiation=parse_instantiation(body), package=package(), definition=Wanted(None, b"")
    )
    manifest = {"metadata": {"name": "tls"}, "data": {"ca.crt": "Y2E="}}
    space.api.create(space.path("Secret"), manifest).expect()
    processes = Peers(tmp_path)
    try:
        async with AsyncExitStack() as stack:
            kube = await stack.enter_async_context(await connect(str(cluster.plane.kubeconfig)))
            now = datetime.now(UTC).replace(microsecond=0)
            made = Developed(space, kube, wish, {}, {}, now)
            for name in ("peer0", "peer1"):
                made.peers[name] = processes(name, extra=operator_settings())
                link = await stack.enter_async_context(linked(made.peers[name], Heard()))
                stored = stored_peer(name, GIVEN)
                stored["metadata"]["namespace"] = space.name
                made.opened[name] = Opened(parse_peer(stored), link, "first")
            yield made
    finally:
        processes.end()


async def test_a_try_that_fails_leaves_no_certificate_that_counts(developed: Developed) -> None:
    await developed.open("peer0")
    await developed.keep("peer0")
    held = [fingerprint(developed.secret()["client.crt"])]
    assert developed.counting("peer0") == held
    with pytest.raises(PeerRefused):
        await developed.keep("peer0", "peer1")
    assert developed.counting("peer0") == held

    def over(namespace: str) -> float:
        raise NotLeading("another operator may work")

    developed.kube.allow = over
    developed.now += timedelta(hours=13)
    with pytest.raises(NotLeading):
        await developed.keep("peer0")
    assert developed.counting("peer0") == held


async def test_a_peer_that_is_away_does_not_end_development_at_the_others(
    developed: Developed,
) -> None:
    for name in ("peer0", "peer1"):
        await developed.open(name)
    due = await developed.keep("peer0", "peer1")
    first = developed.secret()
    assert await developed.keep("peer1", unknown=["peer0"]) == due
    assert developed.secret() == first
    developed.now += timedelta(hours=13)
    renewed = await developed.keep("peer1", unknown=["peer0"])
    assert renewed is not None
    assert renewed > developed.now + timedelta(hours=11)
    second = developed.secret()
    assert peers_in(second) == ["peer1", "peer0"]
    assert second["client.crt"] == second["peer1.client.crt"] != first["peer1.client.crt"]
    assert len(of_peer(first, "peer0")) == 3
    assert of_peer(second, "peer0") == of_peer(first, "peer0")
    assert await developed.keep("peer1", unknown=["peer0"]) == renewed
    assert await developed.keep(unknown=["peer0", "peer1"]) is None
    assert developed.secret() == second
    assert await developed.keep("peer0", "peer1") == renewed
    third = developed.secret()
    assert peers_in(third) == ["peer0", "peer1"]
    assert third["peer0.client.crt"] != first["peer0.client.crt"], "it was not renewed meanwhile"
    assert of_peer(third, "peer1") == of_peer(second, "peer1")
    await developed.keep("peer1")
    last = developed.secret()
    assert (peers_in(last), of_peer(last, "peer0")) == (["peer1"], {})
    assert of_peer(last, "peer1") == of_peer(second, "peer1")


async def test_peers_that_open_one_after_another_are_given_one_certificate_each(
    developed: Developed,
) -> None:
    await developed.open("peer0")
    await developed.keep("peer0", unknown=["peer1"])
    first = developed.secret()
    await developed.open("peer1")
    await developed.keep("peer0", "peer1")
    assert of_peer(developed.secret(), "peer0") == of_peer(first, "peer0")
    assert [len(developed.counting(name)) for name in ("peer0", "peer1")] == [1, 1]
    developed.opened["peer0"] = replace(developed.opened["peer0"], opening="second")
    await developed.keep("peer0", "peer1")
    assert [len(developed.counting(name)) for name in ("peer0", "peer1")] == [2, 1]
    await developed.keep()
    assert developed.space.find("Secret", "asset-dev") is None
