"""The pod of a Peer, killed and back."""

from __future__ import annotations

import json
import time

from e2e.accounts import CHANNEL
from e2e.kubectl import Kubectl
from harness.fabric_cli import FabricCli
from harness.processes import wait_until

POD = "peer0-0"


def kill_peer(there: Kubectl) -> str:
    """End peer0's pod without any grace; the uid that it had."""
    before: str = there.get("pod", POD)["metadata"]["uid"]
    there.run("delete", "pod", POD, "--grace-period=0", "--force")
    return before


def wait_for_another(there: Kubectl, before: str, *, within: float = 180) -> float:
    """Return when another pod is ready; time.monotonic() of that moment."""

    def another() -> bool:
        found = there.get("pods", f"--field-selector=metadata.name={POD}")["items"]
        return bool(found) and found[0]["metadata"]["uid"] != before

    wait_until(another, within=within, what="another pod of peer0")
    there.wait(f"pod/{POD}", "condition=Ready", within=within)
    return time.monotonic()


def height(cli: FabricCli) -> int:
    """Blocks of the channel, as ``peer channel getinfo`` says."""
    said = cli.run("channel", "getinfo", "-c", CHANNEL).stdout
    found: int = json.loads(said.partition("Blockchain info: ")[2])["height"]
    return found
