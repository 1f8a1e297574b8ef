"""A Peer that is ready has its channels, and a client can use it."""

from __future__ import annotations

import pytest
from harness.nodes.machine import is_ready
from harness.operating.operated import Operated
from harness.processes import wait_until

pytestmark = [pytest.mark.kubernetes, pytest.mark.process_node]


def test_a_ready_peer_has_its_channels(trade: Operated) -> None:
    status = trade.space.get("Peer", "peer0")["status"]
    assert status["channels"] == [
        {"name": "mychannel", "joined": True},
        {"name": "second", "joined": True},
    ]
    assert trade.height("mychannel") == trade.height("second") == 1


def test_a_channel_that_is_added_is_joined(trade: Operated) -> None:
    channels = [{"name": "mychannel"}, {"name": "second"}, {"name": "third"}]
    trade.change("Peer", "peer0", channels=channels)

    def joined() -> bool:
        found = trade.space.get("Peer", "peer0")["status"]["channels"]
        return {"name": "third", "joined": True} in found

    wait_until(joined, within=30, what="the third channel")
    assert trade.height("third") == 1


def test_a_pod_that_is_killed_comes_back_with_its_ledgers(trade: Operated) -> None:
    (before,) = trade.pods("peer0-0")
    path = f"/api/v1/namespaces/{trade.space.name}/pods/peer0-0"
    trade.space.api.request("DELETE", path, {"gracePeriodSeconds": 0}).expect()

    def another() -> bool:
        found = trade.pods("peer0-0")
        replaced = bool(found) and found[0]["metadata"]["uid"] != before["metadata"]["uid"]
        return replaced and is_ready(found[0]["status"])

    wait_until(another, within=30, what="another pod")
    # It has another address, which gRPC by itself would look for after half a minute.
    trade.ready("Peer", "peer0", within=10)
    assert trade.height("mychannel") == 1
