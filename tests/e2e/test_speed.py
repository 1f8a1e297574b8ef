"""How long it takes from apply to the first transaction, in Go, on a real cluster: printed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from e2e import wanted
from e2e.accounts import CHANNEL, INSTANTIATIONS, balance
from e2e.kubectl import Kubectl
from e2e.prebuilt import prebuilt_image
from harness.fabric_cli import FabricCli
from harness.operating.operated import go_files, package_of
from harness.processes import wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.real_fabric,
    pytest.mark.toolchain("go"),
    pytest.mark.timeout(1800),
]

WITHIN = 900.0


def package(name: str, **source: object) -> dict[str, Any]:
    """A ChaincodePackage: the Go example's files, or *source*."""
    spec = package_of(go_files(), name=name, version="1") | {"peers": [{"name": "peer0"}]}
    if source:
        del spec["language"]
        spec["source"] = source
    return {"apiVersion": wanted.API, "kind": "ChaincodePackage", "metadata": {"name": name},
            "spec": spec}  # fmt: skip


def test_apply_to_the_first_transaction(
    trade: Kubectl, cli: FabricCli, tmp_path: Path, say: Callable[[str], None]
) -> None:
    """Cold: a new package, built with what the builder image has compiled already (its seed).
    Warm: the peer has the output and the definition; only the pod is missing. Images of ours are
    on the node in all rows.
    """
    image, mark = prebuilt_image(trade.kubeconfig, tmp_path), token_hex(3)
    rows: list[tuple[str, float]] = []
    # The README's counter is not to be built beside.
    trade.wait(f"{INSTANTIATIONS}/counter", "condition=Ready", within=WITHIN)

    def measure(what: str, name: str, manifest: dict[str, Any]) -> None:
        begun = time.monotonic()
        wish = wanted.instantiation(name, name, "init", "a", "100", "b", "0")
        trade.apply(manifest, wish)
        trade.wait(f"{INSTANTIATIONS}/{name}", "condition=Ready", within=WITHIN)
        cli.invoke(name, "transfer", "a", "b", "1", channel=CHANNEL)
        rows.append((what, time.monotonic() - begun))

    built, given = f"speed-built-{mark}", f"speed-image-{mark}"
    measure("cold build", built, package(built))
    before = balance(cli, built, "b")
    trade.run("delete", f"{INSTANTIATIONS}/{built}", "--wait=true")
    wait_until(lambda: not pods(trade, built), within=120, what="the end of its pods")
    measure("warm: the peer has the output", built, package(built))
    assert balance(cli, built, "b") == before + 1, "its state is the ledger's"
    measure("prebuilt image", given, package(given, image=image))
    for name in (built, given):
        trade.run("delete", f"{INSTANTIATIONS}/{name}", "--wait=false")
    table = "\n    ".join(f"{what:<32} {seconds:6.1f} s" for what, seconds in rows)
    say(f"apply to first transaction, Go (load {os.getloadavg()[0]:.0f}):\n    {table}")


def pods(there: Kubectl, name: str) -> list[str]:
    """Of that chaincode."""
    chosen = there.get("pods", "--selector=app.kubernetes.io/component=chaincode")["items"]
    names = [one["metadata"]["name"] for one in chosen]
    return [one for one in names if one.startswith(f"peer0-{name}")]
