"""The real API server takes the definitions, every example, and what treadle play takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness.kubernetes.api import Api
from harness.kubernetes.control_plane import ControlPlane
from harness.kubernetes.resources import (
    API,
    BARE_PEER_SPEC,
    CRDS,
    PLURALS,
    ROOT,
    changed,
    collection,
    definitions,
    example,
    fields,
    schema,
)
from treadle_cli.play import make_plan

pytestmark = pytest.mark.kubernetes

SIZES = ("minimal", "full")
LARGEST = 200 * 1024
# What an example cannot have because it has another of which only one is allowed.
ALTERNATIVES = {
    "Peer": ("spec.ordering.embedded", "spec.channels.capabilities"),
    "ChaincodePackage": tuple(
        f"spec.source.{name}"
        for name in ("files", "configMap", "archive", "package", "image", "server", "installed")
    ),
    "ChaincodeInstantiation": (
        "spec.collections.endorsementPolicy.channelConfigPolicy",
        "spec.runtime.affinity",  # shown in full with the Peer
    ),
}
CUSTOM = {"Peer", "ChaincodePackage", "ChaincodeInstantiation"}


def _play_documents() -> list[Any]:
    files = sorted((ROOT / "examples" / "play").rglob("*.yaml"))
    loaded = [(file, one) for file in files for one in yaml.safe_load_all(file.read_text())]
    return [
        pytest.param(one, id=f"{file.parent.name}-{one['kind']}-{one['metadata']['name']}")
        for file, one in loaded
        if one["kind"] in CUSTOM
    ]


def _written(value: object, path: str = "") -> Iterator[str]:
    """Dotted paths of everything a manifest says."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}.{name}".lstrip(".")
            yield from _written(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _written(inner, path)


def test_the_definitions_are_established_without_a_complaint(api: Api) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    for plural in PLURALS.values():
        stored = api.get(f"{path}/{plural}.treadle.dev").expect()
        conditions = {one["type"]: one["status"] for one in stored["status"]["conditions"]}
        assert conditions["Established"] == conditions["NamesAccepted"] == "True"
        assert conditions.get("NonStructuralSchema", "False") == "False"


@pytest.mark.parametrize("file", sorted(CRDS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_definition_leaves_room_for_what_tools_add_to_it(file: Path) -> None:
    assert file.stat().st_size < LARGEST
    assert len(yaml.safe_dump(yaml.safe_load(file.read_text()))) < LARGEST


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        *((kind, size) for kind in PLURALS for size in SIZES),
        ("ChaincodePackage", "image"),
        ("ChaincodePackage", "server"),
    ],
)
def test_an_example_is_admitted_with_nothing_dropped(
    api: Api, kind: str, size: str, namespace: str
) -> None:
    manifest = example(kind, size)
    path = f"{collection(kind, namespace)}?fieldValidation=Strict"
    stored = api.create(path, manifest).expect()
    assert set(_written(manifest)) <= set(_written(stored))


@pytest.mark.parametrize("kind", PLURALS)
def test_the_full_example_shows_every_field(kind: str) -> None:
    there = set(_written(example(kind, "full")))
    wanted = {path for path, _ in fields(schema(kind)) if path.startswith("spec")}
    left_out = {path for path in wanted if path.startswith(ALTERNATIVES[kind])}
    assert wanted - left_out <= there


@pytest.mark.parametrize("document", _play_documents())
def test_what_treadle_play_runs_is_admitted(api: Api, document: dict[str, Any]) -> None:
    kind = document["kind"]
    api.create(f"{collection(kind)}?dryRun=All&fieldValidation=Strict", document).expect()


def test_treadle_play_takes_the_minimal_examples() -> None:
    plan = make_plan(*(CRDS / "examples" / f"{kind.lower()}-minimal.yaml" for kind in PLURALS))
    (step,) = plan.steps
    assert (plan.peer.name, step.package.ccid, step.instantiation.channel) == (
        "peer0", "counter:1", "mychannel"
    )  # fmt: skip
    assert plan.warning is None


@pytest.mark.parametrize("kind", PLURALS)
def test_a_field_that_nobody_defined_is_refused(api: Api, kind: str) -> None:
    manifest = changed(example(kind), {"spec.surprise": 1})
    answer = api.create(f"{collection(kind)}?dryRun=All&fieldValidation=Strict", manifest)
    assert 'unknown field "spec.surprise"' in answer.body["message"]


def test_what_is_left_out_is_stored_as_it_takes_effect(api: Api) -> None:
    bare = changed(example("Peer"), {"spec": {}})
    spec = api.create(f"{collection('Peer')}?dryRun=All", bare).expect()["spec"]
    assert spec == BARE_PEER_SPEC


def test_the_changes_that_the_design_allows_are_taken(api: Api, namespace: str) -> None:
    later: dict[str, dict[str, object]] = {
        "Peer": {
            "spec.mode": "Development",
            "spec.deletionPolicy": "Delete",
            "spec.channels": [{"name": "mychannel", "capabilities": "V1_4_2"}, {"name": "more"}],
            "spec.storage.size": "20Gi",
        },
        "ChaincodePackage": {
            "spec.peers": [{"name": "peer1"}],
            "spec.deletionPolicy": "Uninstall",
        },
        "ChaincodeInstantiation": {
            "spec.packageRef.name": "counter-2",
            "spec.init.args": ["migrate"],
            "spec.mode": "Development",
            "spec.runtime.replicas": 2,
        },
    }
    for kind, changes in later.items():
        stored = api.create(collection(kind, namespace), example(kind)).expect()
        path = f"{collection(kind, namespace)}/{stored['metadata']['name']}"
        api.replace(path, changed(stored, changes)).expect()


def test_every_field_is_explained(cluster: ControlPlane, tmp_path: Path) -> None:
    components = cluster.api.get(f"/openapi/v3{API}").expect()["components"]["schemas"]
    for kind in PLURALS:
        served = components[f"dev.treadle.v1alpha1.{kind}"]
        silent = [path for path, node in fields(served) if not _explained(node)]
        assert served["description"]
        assert not silent
    # explain believes an old answer about which kinds there are, so it starts without one.
    told = cluster.kubectl("--cache-dir", str(tmp_path), "explain", "tpeer.spec.ordering")
    told = " ".join(told.split())  # it breaks lines
    assert "Exactly one of embedded and external, which cannot be changed." in told


def _explained(node: Any) -> bool:
    """References to Kubernetes' own types carry their description beside allOf."""
    return bool(node.get("description"))


def test_fragments_of_several_definitions_are_the_same() -> None:
    defaults = schema("Peer")["properties"]["spec"]["properties"]["chaincode"]["properties"]
    shared = dict(defaults["runtimeDefaults"]["properties"])
    runtime = dict(
        schema("ChaincodeInstantiation")["properties"]["spec"]["properties"]["runtime"][
            "properties"
        ]
    )
    assert runtime.keys() == shared.keys()
    own = {"replicas", "executeTimeout"}  # what is left out means something else there
    assert {k: v for k, v in runtime.items() if k not in own} == {
        k: v for k, v in shared.items() if k not in own
    }
    assert len({_items(kind) for kind in definitions()}) == 1


def _items(kind: str) -> str:
    status = schema(kind)["properties"]["status"]["properties"]
    return yaml.safe_dump(status["conditions"]["items"])
