"""A flood of strangers at a peer becomes one Event on its Peer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from harness.impostors import dialled
from harness.operating.operated import Operated
from harness.processes import wait_until

pytestmark = [pytest.mark.kubernetes, pytest.mark.process_node]

TRIES = 1000
Say = Callable[[str], None]


def events(trade: Operated) -> list[dict[str, Any]]:
    """The Events about refused registrations."""
    return [each for each in trade.space.all("Event") if each["reason"] == "RegistrationRefused"]


@pytest.mark.long
def test_a_thousand_tries_are_one_event_that_counts(trade: Operated, say: Say) -> None:
    (pod,) = trade.pods("peer0-0")
    address = f"{pod['status']['podIP']}:7052"
    for _ in range(TRIES):
        code, sentence = dialled(address, "stranger:1", None)
        assert code is grpc.StatusCode.PERMISSION_DENIED
    wait_until(
        lambda: [event["count"] for event in events(trade)] == [TRIES],
        within=60,
        what=f"one Event that counts to {TRIES}",
    )
    (event,) = events(trade)
    assert event["type"] == "Warning"
    peer = trade.space.get("Peer", "peer0")
    assert event["involvedObject"]["uid"] == peer["metadata"]["uid"]
    assert event["message"].startswith(f"{TRIES} registrations refused since 20")
    assert "most as stranger:1" in event["message"]
    assert sentence in event["message"]
    # Applied anew each time: the server counts what changed it.
    written = [entry["operation"] for entry in event["metadata"]["managedFields"]]
    assert written == ["Apply"]
    assert peer["status"]["conditions"], "the Peer itself says nothing of it"
    say(f"{TRIES} tries: one Event, count {event['count']}")
