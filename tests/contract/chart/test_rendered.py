"""What the chart renders: the objects, and where each of their parts comes from."""

from __future__ import annotations

import re
import tomllib

import click
import pytest
import yaml
from harness.kubernetes.chart import CHART, Body, Helm, of_kind, the
from harness.kubernetes.resources import CRDS, ROOT
from harness.operating.account import rules
from harness.operating.stored import peer
from treadle_operator.main import main
from treadle_operator.names import peer_names
from treadle_operator.resources import ports
from treadle_operator.resources.fetch_job import PORT, fetch_labels
from treadle_operator.resources.network import network_policy

pytestmark = pytest.mark.kubernetes

LANGUAGES = ("golang", "java", "node", "python")


def arguments(objects: list[Body]) -> list[str]:
    """What the operator is started with."""
    (container,) = the(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    found: list[str] = container["args"]
    return found


def image(objects: list[Body]) -> str:
    (container,) = the(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


def test_helm_finds_nothing_to_complain_about(helm: Helm) -> None:
    helm.run("lint", "--strict", str(CHART)).expect()


def test_the_definitions_are_copies_of_those_that_kubectl_applies() -> None:
    copies = {file.name: file.read_bytes() for file in (CHART / "files" / "crds").iterdir()}
    assert copies == {file.name: file.read_bytes() for file in CRDS.glob("*.yaml")}


@pytest.mark.parametrize("keep", [True, False])
def test_rendering_changes_a_definition_only_by_what_keeps_it(helm: Helm, keep: bool) -> None:
    rendered = of_kind(helm.objects({"crds": {"keep": keep}}), "CustomResourceDefinition")
    assert len(rendered) == 3
    for one in rendered:
        annotations = one["metadata"].pop("annotations", {})
        assert annotations == ({"helm.sh/resource-policy": "keep"} if keep else {})
    files = [yaml.safe_load(file.read_text()) for file in CRDS.glob("*.yaml")]
    assert _by_name(rendered) == _by_name(files)


def _by_name(definitions: list[Body]) -> dict[str, Body]:
    return {one["metadata"]["name"]: one for one in definitions}


def test_definitions_can_be_left_out(helm: Helm) -> None:
    objects = helm.objects({"crds": {"enabled": False}})
    assert not of_kind(objects, "CustomResourceDefinition")


def test_the_operator_may_what_the_rules_say_in_each_watched_namespace_and_nothing_else(
    helm: Helm,
) -> None:
    objects = helm.objects({"watchNamespaces": ["trade", "bank"]})
    roles = of_kind(objects, "Role")
    assert [role["metadata"]["namespace"] for role in roles] == ["bank", "trade"]
    assert all(role["rules"] == rules() for role in roles)
    account = the(objects, "ServiceAccount")["metadata"]
    bindings = of_kind(objects, "RoleBinding")
    assert [binding["metadata"]["namespace"] for binding in bindings] == ["bank", "trade"]
    for binding in bindings:
        assert binding["roleRef"]["kind"] == "Role"
        (subject,) = binding["subjects"]
        assert (subject["name"], subject["namespace"]) == (account["name"], "own")
    assert not of_kind(objects, "ClusterRole") + of_kind(objects, "ClusterRoleBinding")
    assert "--namespaces=bank,trade" in arguments(objects)


def test_it_watches_its_own_namespace_unless_told_otherwise(helm: Helm) -> None:
    objects = helm.objects()
    assert "--namespaces=own" in arguments(objects)
    assert the(objects, "Role")["metadata"]["namespace"] == "own"


def test_an_account_that_is_there_already_is_not_made(helm: Helm) -> None:
    objects = helm.objects({"serviceAccountName": "given"})
    assert not of_kind(objects, "ServiceAccount")
    pod = the(objects, "Deployment")["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "given"
    assert the(objects, "RoleBinding")["subjects"][0]["name"] == "given"


def test_the_operator_understands_every_option_that_it_is_given(helm: Helm) -> None:
    program, *options = arguments(helm.objects())
    assert program == "treadle-operator"
    with click.Context(main) as context:
        main.parse_args(context, list(options))


def test_images_for_every_language_come_from_one_block(helm: Helm) -> None:
    objects = helm.objects({"images": {"registry": "registry.example.com/t/", "tag": "v7"}})
    prefix = "registry.example.com/t"
    assert image(objects) == f"{prefix}/operator:v7"
    given = [each for each in arguments(objects) if "-image=" in each]
    assert given == [
        f"--peer-image={prefix}/peer:v7",
        *(f"--builder-image={each}={prefix}/builder-{each}:v7" for each in LANGUAGES),
        *(f"--runtime-image={each}={prefix}/runtime-{each}:v7" for each in LANGUAGES),
    ]


@pytest.mark.parametrize(
    ("registry", "name", "full"),
    [
        ("treadle", "operator", "treadle/operator:0.1.0"),
        ("", "operator", "operator:0.1.0"),
        ("treadle", "other/operator:9", "other/operator:9"),
        ("treadle", "r.example.com:5000/operator", "treadle/r.example.com:5000/operator:0.1.0"),
        ("", "r.example.com:5000/operator", "r.example.com:5000/operator:0.1.0"),
        ("treadle", "o@sha256:" + "0" * 64, "o@sha256:" + "0" * 64),
    ],
)
def test_a_complete_image_name_is_taken_as_it_is(
    helm: Helm, registry: str, name: str, full: str
) -> None:
    assert image(helm.objects({"images": {"registry": registry, "operator": name}})) == full


def test_peers_let_the_operator_in(helm: Helm) -> None:
    labels = the(helm.objects(), "Deployment")["spec"]["template"]["metadata"]["labels"]
    policy = network_policy(peer(), peer_names("peer0", "Org1MSP"))
    wanted = re.findall(r"'app.kubernetes.io/name': 'treadle-operator'", str(policy))
    assert len(wanted) == 1
    assert labels["app.kubernetes.io/name"] == "treadle-operator"


def test_the_operator_may_reach_the_peers_of_the_watched_namespaces(helm: Helm) -> None:
    objects = helm.objects({"watchNamespaces": ["trade", "bank"], "apiServerPorts": [7443]})
    _, api, peers, _ = the(objects, "NetworkPolicy")["spec"]["egress"]
    assert api == {"ports": [{"port": 7443, "protocol": "TCP"}]}
    (to,) = peers["to"]
    (expression,) = to["namespaceSelector"]["matchExpressions"]
    assert expression["values"] == ["bank", "trade"]
    dialled = {ports.ORDERING, ports.PEER, ports.RUNTIME, ports.OPERATIONS}
    assert {port["port"] for port in peers["ports"]} == dialled
    assert not of_kind(helm.objects({"networkPolicy": False}), "NetworkPolicy")


def test_the_operator_may_take_sources_over_from_its_jobs(helm: Helm) -> None:
    objects = helm.objects({"watchNamespaces": ["a", "b"]})
    handover = the(objects, "NetworkPolicy")["spec"]["egress"][-1]
    (to,) = handover["to"]
    assert to["podSelector"]["matchLabels"].items() <= fetch_labels("asset-1.0").items()
    assert to["namespaceSelector"]["matchExpressions"][0]["values"] == ["a", "b"]
    assert [port["port"] for port in handover["ports"]] == [PORT]


def test_the_chart_has_the_version_of_the_program() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == project["version"]
