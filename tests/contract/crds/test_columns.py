"""docs/resources.md shows what ``kubectl get`` prints of the three kinds.

Write the page anew with TREADLE_WRITE_DOCS=1.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from harness.kubernetes.api import APPLY_PATCH, Api
from harness.kubernetes.control_plane import ControlPlane
from harness.kubernetes.resources import PLURALS, collection, example
from harness.processes import wait_until

PAGE = Path(__file__).resolve().parents[3] / "docs" / "resources.md"
SHOWN = (("get", "treadle"), ("get", "tpeer,ccpkg,ccinst", "-o", "wide"))
STATUS: dict[str, tuple[str, str, str, dict[str, object]]] = {
    "Peer": ("True", "PeerReady", "the peer is ready",
             {"endpoints": {"peer": "peer0.trade.svc:7051", "operations": "peer0.trade.svc:9443"}}),
    "ChaincodePackage": ("True", "Installed", "installed on peer0",
                         {"packageID": f"counter_1:{'5f' * 32}"}),
    "ChaincodeInstantiation": (
        "False", "RuntimeBuilding", "the chaincode is being built",
        {"targets": [{"peer": "peer0", "mode": "Production", "registered": False,
                      "initialised": False}]}),
}  # fmt: skip
"""Of each minimal example, as the operator writes it on the way."""

pytestmark = pytest.mark.kubernetes


def store(api: Api, kind: str, namespace: str, more: Mapping[str, object]) -> None:
    """The example with its status."""
    status, reason, message, facts = STATUS[kind]
    made: dict[str, Any] = api.create(collection(kind, namespace), example(kind)).expect()
    condition = {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    body = {
        **{key: made[key] for key in ("apiVersion", "kind")},
        "metadata": {"name": made["metadata"]["name"]},
        "status": {"conditions": [condition], **facts, **more},
    }
    path = f"{collection(kind, namespace)}/{made['metadata']['name']}/status"
    query = "?fieldManager=treadle-operator&force=true&fieldValidation=Strict"
    api.request("PATCH", path + query, body, content_type=APPLY_PATCH).expect()


def test_the_page_shows_what_kubectl_prints(cluster: ControlPlane, namespace: str) -> None:
    for kind in PLURALS:
        store(cluster.api, kind, namespace, {"observedGeneration": 1})
    wait_until(lambda: is_discovered(cluster), within=60, what="discovery of the three kinds")
    page = PAGE.read_text()
    for words in SHOWN:
        printed = cluster.kubectl("-n", namespace, *words)
        # How old they are differs; lines end where their text does.
        wanted = "".join(
            re.sub(r"\s*[0-9]+[ms]([0-9]+s)?$", "   2m", line).rstrip() + "\n"
            for line in printed.splitlines()
        )
        block = re.compile(rf"(\$ kubectl {re.escape(' '.join(words))}\n)(.*?)(```)", re.DOTALL)
        if os.environ.get("TREADLE_WRITE_DOCS"):
            page = block.sub(lambda found, text=wanted: found[1] + text + found[3], page)
            PAGE.write_text(page)
        found = block.search(page)
        assert found is not None, words
        assert columns(found[2]) == columns(wanted)


def is_discovered(cluster: ControlPlane) -> bool:
    """Served is not yet listed, and kubectl asks the list what a category is."""
    listed = cluster.kubectl("api-resources", "--cached=false", "--api-group=treadle.dev")
    return all(name in listed for name in ("tpeer", "ccpkg", "ccinst"))


def columns(text: str) -> list[list[str]]:
    """Cells of each line: how wide a column is depends on what stands in it."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
