"""Every manifest of a runtime as it is reviewed: golden/runtime-*.yaml.

``TREADLE_GOLDEN=write`` writes them anew; the difference belongs into the review.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness.operating.chaincodes import instantiation
from harness.operating.runtimes import (
    IMAGE,
    LANGUAGES,
    NOW,
    SERVER,
    certificate,
    demanding,
    deployment,
    job,
    objects,
    prebuilt_of,
    runtime_of,
)
from harness.operating.stored import peer
from treadle_operator.model import ChaincodeServer, Manifest
from treadle_operator.resources import secret_data
from treadle_operator.resources.durations import seconds
from treadle_operator.resources.runtime_job import BUILD
from treadle_operator.resources.runtime_parts import CHAINCODE, RuntimeOf
from treadle_operator.resources.runtime_secret import held, kept_secret, runtime_secret

GOLDEN = Path(__file__).parent / "golden"
RUNTIMES = {
    "runtime-golang": runtime_of("golang"),
    "runtime-python": runtime_of("python"),
    "runtime-demanding": demanding(),
    "runtime-image": prebuilt_of(IMAGE),
    "runtime-server": prebuilt_of(SERVER),
}


def pods(manifest: Manifest) -> list[dict[str, Any]]:
    spec: Any = manifest.get("spec")
    return [spec["template"]["spec"]] if isinstance(spec, dict) and "template" in spec else []


def containers(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in (*pod.get("initContainers", []), *pod["containers"])}


@pytest.mark.parametrize("name", RUNTIMES)
def test_the_manifests_are_those_that_were_reviewed(name: str) -> None:
    text = yaml.safe_dump_all(json.loads(json.dumps(objects(RUNTIMES[name]))), sort_keys=False)
    file = GOLDEN / f"{name}.yaml"
    if os.environ.get("TREADLE_GOLDEN") == "write":
        file.write_text(text)
    assert list(yaml.safe_load_all(file.read_text())) == list(yaml.safe_load_all(text))


def test_the_toolchain_never_sees_the_certificate() -> None:
    (pod,) = pods(job(demanding()))
    seen = {
        name: {mount["name"] for mount in one["volumeMounts"]}
        for name, one in containers(pod).items()
    }
    assert {name for name, mounts in seen.items() if "certificate" in mounts} == {
        "package",
        "store",
    }
    assert "authority" in seen["build"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_a_chaincode_that_listens_has_a_bridge_and_then_the_bridge_has_the_certificate(
    language: str,
) -> None:
    (pod,) = pods(deployment(runtime_of(language)))
    every = containers(pod)
    with_certificate = {
        name
        for name, one in every.items()
        if any(mount["name"] == "certificate" for mount in one["volumeMounts"])
    }
    if language == "python":
        assert every["bridge"]["restartPolicy"] == "Always"
        assert with_certificate == {"output", "bridge"}
    else:
        assert with_certificate == {"output", "chaincode"}


def test_an_image_runs_its_own_command_and_dials_the_bridge_beside_it() -> None:
    given = [{"name": name, "value": "mine"} for name in ("CORE_PEER_ADDRESS", "HOME", "COLOUR")]
    claim = instantiation("asset", runtime={"env": given})
    one = RuntimeOf(
        peer=peer(), ccid="asset:1.0", language="k8s", claimed_by=(claim,), prebuilt=IMAGE
    )
    (pod,) = pods(deployment(one))
    bridge, chaincode = containers(pod)["bridge"], containers(pod)["chaincode"]
    assert chaincode["image"] == IMAGE.image
    assert not {"command", "args"} & chaincode.keys()
    env = {each["name"]: each["value"] for each in chaincode["env"]}
    assert len(env) == len(chaincode["env"])
    assert env["CORE_PEER_ADDRESS"] in bridge["command"]
    assert (env["HOME"], env["COLOUR"]) == ("mine", "mine")
    assert bridge["restartPolicy"] == "Always"
    # It starts only when the file is there by which it knows the bridge.
    assert env["CORE_PEER_TLS_ROOTCERT_FILE"] in bridge["startupProbe"]["exec"]["command"]


def test_a_server_is_dialled_by_a_pod_that_holds_only_what_the_secret_has_for_it() -> None:
    (pod,) = pods(deployment(prebuilt_of(SERVER)))
    assert list(containers(pod)) == ["dial"]
    (volume,) = (each for each in pod["volumes"] if each["name"] == "server")
    keys = {item["key"] for item in volume["secret"]["items"]}
    assert keys == {"ca.crt", "tls.crt", "tls.key"}
    plain = prebuilt_of(ChaincodeServer("asset:1", False, None))
    (pod,) = pods(deployment(plain))
    assert "--tls" not in containers(pod)["dial"]["command"]
    assert "server" not in {each["name"] for each in pod["volumes"]}


def test_nobody_tells_a_chaincode_another_peer_or_another_name() -> None:
    given = [{"name": name, "value": "mine"} for name in ("TREADLE_CCID", "COLOUR")]
    claim = instantiation("asset", runtime={"env": given})
    one = RuntimeOf(peer=peer(), ccid="asset:1.0", language="node", claimed_by=(claim,))
    (pod,) = pods(deployment(one))
    env = [(each["name"], each["value"]) for each in containers(pod)["chaincode"]["env"]]
    assert len(dict(env)) == len(env)
    assert ("COLOUR", "mine") in env
    assert ("TREADLE_CCID", "asset:1.0") in env


@pytest.mark.parametrize("name", RUNTIMES)
def test_every_volume_that_is_mounted_is_there_and_every_one_is_used(name: str) -> None:
    for manifest in objects(RUNTIMES[name]):
        for pod in pods(manifest):
            mounted = {m["name"] for one in containers(pod).values() for m in one["volumeMounts"]}
            assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_claims_own_what_is_made_for_them_and_the_peer_what_nobody_claims() -> None:
    for manifest in objects(demanding()):
        owners: Any = manifest["metadata"]
        found = [(one["kind"], one["name"]) for one in owners["ownerReferences"]]
        assert found == [("ChaincodeInstantiation", "asset"), ("ChaincodeInstantiation", "asset-2")]
        assert not any("controller" in one for one in owners["ownerReferences"])
    for manifest in objects(runtime_of()):
        owners = manifest["metadata"]
        assert [(one["kind"], one["name"]) for one in owners["ownerReferences"]] == [
            ("Peer", "peer0")
        ]


def build(manifest: Manifest) -> str:
    metadata: Any = manifest["metadata"]
    return str(metadata["annotations"][BUILD])


def test_another_pod_is_another_build_and_another_attempt_or_owner_is_none() -> None:
    one = runtime_of("node")
    image = {"chaincode": {"builders": {"node": {"image": "registry.example.com/n:2"}}}}
    assert build(job(one)) != build(job(runtime_of("node", of=peer(**image))))
    again: Any = job(one, attempt=2)
    assert build(again) == build(job(one))
    assert again["metadata"]["annotations"]["treadle.dev/attempt"] == "2"
    assert again["spec"] == job(one)["spec"]
    claimed = RuntimeOf(
        peer=one.peer, ccid=one.ccid, language="node", claimed_by=demanding().claimed_by
    )
    assert job(claimed)["metadata"] != job(one)["metadata"]
    assert build(job(claimed)) == build(job(one))


def test_a_certificate_is_due_at_two_thirds_of_its_life_also_after_its_owners_changed() -> None:
    one = runtime_of()
    secret = runtime_secret(
        one,
        name=one.name,
        component=CHAINCODE,
        certificate=certificate(timedelta(seconds=90)),
        now=NOW,
        retiring=("aa", "bb"),
    )
    kept = kept_secret(demanding(), secret, component=CHAINCODE, retiring=("bb",))
    for found, retiring in ((held(secret), ("aa", "bb")), (held(kept), ("bb",))):
        assert found.fingerprint == "cd" * 32
        assert found.retiring == retiring
        assert not found.is_due(NOW + timedelta(seconds=59))
        assert found.is_due(NOW + timedelta(seconds=60))
    assert secret_data(kept) == secret_data(secret)


@pytest.mark.parametrize("text", ["", "soon", "2026-11-23", "2026-11-23T08:00:00"])
def test_what_does_not_say_when_is_due(text: str) -> None:
    secret: Manifest = {"metadata": {"annotations": {"treadle.dev/renew-at": text}}}
    assert held(secret).is_due(NOW)
    assert held(None).is_due(NOW)


@pytest.mark.parametrize(
    ("text", "length"),
    [("10m", 600), ("1h30m", 5400), ("1.5s", 1.5), ("500ms", 0.5), ("90", None), ("m", None)],
)
def test_durations_of_go_are_seconds(text: str, length: float | None) -> None:
    found = seconds(text)
    assert found == (None if length is None else pytest.approx(length))
    assert seconds("") is None
    assert seconds("1h 30m") is None
