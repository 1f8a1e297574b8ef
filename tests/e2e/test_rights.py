"""What the operator asked of the API server in this run, held against its Role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from e2e.clusters import ROOT
from e2e.kubectl import Kubectl

pytestmark = [pytest.mark.e2e]
RULES = ROOT / "charts" / "treadle" / "files" / "operator-rules.yaml"
# Asked for by an admission plugin that this API server runs without; and for what fails, which
# nothing here does (tests/operators/flows has failures).
NOT_ASKED = {("treadle.dev", "peers/finalizers"), ("", "pods/log")}


def asked(trade: Kubectl) -> Iterator[dict[str, Any]]:
    """The operator's requests since its namespace is there, from the audit log."""
    log = trade.kubeconfig.parent / "audit.log"
    if not log.exists():
        pytest.skip("this cluster's API server keeps its audit log elsewhere")
    since = trade.get("namespace", trade.namespace)["metadata"]["creationTimestamp"]
    user = f"system:serviceaccount:{trade.namespace}:treadle-operator"
    for line in log.read_text().splitlines():
        event = json.loads(line)
        # Both are of the form 2026-01-31T12:00:00, and compare as text. Who comes while the server
        # starts, or from a namespace that goes, has no name yet or none any more.
        if (
            event["user"].get("username") == user
            and event["requestReceivedTimestamp"] >= since[:-1]
        ):
            yield event


def test_nothing_was_forbidden(trade: Kubectl) -> None:
    refused = [
        (event["verb"], event["requestURI"])
        for event in asked(trade)
        if event["annotations"].get("authorization.k8s.io/decision") == "forbid"
    ]
    assert refused == []


def test_no_rule_was_without_use(trade: Kubectl) -> None:
    used = {
        (
            there.get("apiGroup", ""),
            "/".join(filter(None, (there["resource"], there.get("subresource")))),
        )
        for event in asked(trade)
        if (there := event.get("objectRef", {})).get("resource")
    }
    granted = {
        (group, resource)
        for rule in yaml.safe_load(RULES.read_text())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert granted - used - NOT_ASKED == set()
    assert granted & used
