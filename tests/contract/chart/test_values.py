"""The chart's values: few, described, and refused when they are misspelt."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from harness.kubernetes.chart import CHART, Helm

pytestmark = pytest.mark.kubernetes

MOST = 25
BLOCKS = ("images", "crds")


def values() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return loaded


def settings() -> list[str]:
    """Every value by its path; a block is its members."""
    found = []
    for name, value in values().items():
        found += [f"{name}.{inner}" for inner in value] if name in BLOCKS else [name]
    return found


def test_there_are_few() -> None:
    assert len(settings()) <= MOST


def test_each_is_in_the_readme() -> None:
    table = (CHART / "README.md").read_text()
    rows = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
    assert sorted(re.findall(r"`([^`]+)`", " ".join(rows))) == sorted(settings())


def test_the_schema_knows_exactly_these() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]
    known = []
    for name, inner in schema.items():
        known += [f"{name}.{each}" for each in inner["properties"]] if name in BLOCKS else [name]
    assert sorted(known) == sorted([*settings(), "global"])


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"watchNamespace": ["trade"]}, "watchNamespace"),
        ({"watchNamespaces": "trade"}, "watchNamespaces"),
        ({"watchNamespaces": ["Trade"]}, "watchNamespaces"),
        ({"images": {"peers": "x"}}, "peers"),
        ({"images": {"builders": {"go": "x"}}}, "go"),
        ({"images": {"runtimes": {"node": ""}}}, "node"),
        ({"images": {"tag": "a:b"}}, "tag"),
        ({"replicas": "two"}, "replicas"),
        ({"replicas": -1}, "replicas"),
        ({"logLevel": "info"}, "logLevel"),
        ({"resources": {"cpu": 1}}, "resources"),
        ({"networkPolicy": "yes"}, "networkPolicy"),
        ({"apiServerPorts": []}, "apiServerPorts"),
        ({"crds": {"keep": 1}}, "keep"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(
    helm: Helm, given: dict[str, object], named: str
) -> None:
    refused = helm.template(given)
    assert not refused.succeeded
    assert "values don't meet the specifications" in refused.errors
    assert named in refused.errors


def test_what_a_parent_chart_shares_is_let_through(helm: Helm) -> None:
    assert helm.objects({"global": {"anything": 1}}) == helm.objects()
