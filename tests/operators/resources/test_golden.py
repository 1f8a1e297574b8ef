"""Every manifest of a Peer as it is reviewed: golden/*.yaml.

``TREADLE_GOLDEN=write`` writes them anew; the difference belongs into the review.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from harness.operating.stored import FULL, SECRETS, peer
from treadle_operator.model import Peer
from treadle_operator.resources import Images, peer_children, peer_endpoints

GOLDEN = Path(__file__).parent / "golden"
IMAGES = Images(peer="registry.example.com/treadle/peer:0.1.0")
DEVELOPMENT = {
    "mode": "Development",
    "tls": {"enabled": False},
    "external": {"host": "peer0.example.com", "service": {"type": "ClusterIP"}},
}
PEERS = {
    "minimal": peer(),
    "full": peer("peer1", **FULL),
    "development": peer("peer2", **DEVELOPMENT),
}


@pytest.mark.parametrize("name", PEERS)
def test_the_manifests_are_those_that_were_reviewed(name: str) -> None:
    children = peer_children(PEERS[name], images=IMAGES, secrets=SECRETS)
    described = [*children, {"endpoints": peer_endpoints(PEERS[name])}]
    text = yaml.safe_dump_all(described, sort_keys=False)
    file = GOLDEN / f"{name}.yaml"
    if os.environ.get("TREADLE_GOLDEN") == "write":
        file.write_text(text)
    assert list(yaml.safe_load_all(file.read_text())) == list(yaml.safe_load_all(text))


@pytest.mark.parametrize("one", PEERS.values(), ids=PEERS)
def test_every_child_is_owned_and_labelled(one: Peer) -> None:
    for child in peer_children(one, images=IMAGES, secrets=SECRETS):
        metadata = child["metadata"]
        assert isinstance(metadata, dict)
        assert metadata["labels"]["treadle.dev/peer"] == one.meta.name
        (owner,) = metadata["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == (one.meta.uid, True)


def test_without_tls_nothing_leads_to_the_chaincode_port() -> None:
    text = (GOLDEN / "development.yaml").read_text()
    services = [one for one in yaml.safe_load_all(text) if one.get("kind") == "Service"]
    ports = [port["port"] for service in services for port in service["spec"].get("ports", [])]
    assert set(ports) == {7050, 7051, 9443}
    assert "chaincodeListenAddress: 127.0.0.1:7052" in text


def test_a_statefulset_keeps_the_size_its_claim_was_made_with() -> None:
    bigger = peer(storage={"size": "20Gi"})
    children = peer_children(bigger, images=IMAGES, secrets=SECRETS, claim_size="10Gi")
    before = peer_children(peer(), images=IMAGES, secrets=SECRETS)
    assert children[-1] == before[-1]
