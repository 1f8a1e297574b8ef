"""A peer's active registry, read as ``treadle ps`` reads it."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from harness.processes import wait_until

CHANNEL = "mychannel"  # what a peer without configuration creates


def runtimes(operations: str) -> list[dict[str, Any]]:
    """All rows of ``/runtimes``; *operations* is host:port."""
    with urllib.request.urlopen(f"http://{operations}/runtimes", timeout=10) as answer:
        rows: list[dict[str, Any]] = json.load(answer)["runtimes"]
    return rows


def wait_for_runtime(
    operations: str, ccid: str, state: str = "registered", *, within: float = 60
) -> dict[str, Any]:
    """The row of *ccid* once it is in *state* (registered, waiting for install, …)."""
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = [r for r in runtimes(operations) if (r["ccid"], r["state"]) == (ccid, state)]
        return bool(found)

    wait_until(there, within=within, what=f"{ccid} being {state}")
    return found[0]


def metrics(operations: str) -> dict[str, float]:
    """All samples of ``/metrics`` by name and labels, as they are written there."""
    with urllib.request.urlopen(f"http://{operations}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {sample: float(value) for sample, value in samples}


def metric(operations: str, name: str) -> float:
    """One metric without labels, of ``/metrics``."""
    return metrics(operations)[name]
