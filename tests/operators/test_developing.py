"""The commands that a developer is told to type for a Peer in mode Development."""

from __future__ import annotations

from harness.operating.stored import peer
from treadle_operator.reconcile.developing import how_to_connect


def test_without_tls_it_is_fabrics_start_command_behind_a_port_forward() -> None:
    wanted = peer(mode="Development", tls={"enabled": False})
    assert how_to_connect(wanted, "asset:1") == (
        "run kubectl port-forward pod/peer0-0 7052 and start yours: CORE_CHAINCODE_ID_NAME=asset:1 "
        "CORE_PEER_TLS_ENABLED=false <chaincode> -peer.address 127.0.0.1:7052"
    )


def test_with_tls_the_development_certificate_is_fetched_first() -> None:
    said = how_to_connect(peer(mode="Development"), "asset:1")
    assert said.startswith(
        "fetch the development certificate: kubectl cp "
        "trade/peer0-0:/var/lib/treadle/chaincode/authority/development development; run kubectl"
    )
    assert "CORE_PEER_TLS_ENABLED=true CORE_PEER_TLS_ROOTCERT_FILE=development/peer.crt" in said
    assert "CORE_PEER_TLS_ENABLED=false" not in said
