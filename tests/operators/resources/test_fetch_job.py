"""The Job that gets sources, as it is reviewed: golden/fetch-*.yaml.

``TREADLE_GOLDEN=write`` writes them anew; the difference belongs into the review.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness.operating.chaincodes import package
from harness.operating.stored import FULL, peer
from treadle_operator.model import ChaincodePackage
from treadle_operator.resources import Images
from treadle_operator.resources.fetch_job import fetch_job, handover_metadata, is_of_package

GOLDEN = Path(__file__).parent / "golden"
IMAGES = Images(peer="registry.example.com/treadle/peer:0.1.0")
OURS = {"tool", "fetch", "freeze", "serve"}
PACKAGES = {
    "fetch-image": package(source={"imageFiles": {"image": "sources:1", "path": "/chaincode"}}),
    "fetch-archive": package(
        source={"archive": {"url": "https://example.com/a.tgz", "sha256": "ab" * 32}}
    ),
}


def job_of(one: ChaincodePackage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(fetch_job(one, peer("peer1", **FULL), IMAGES)))
    return found


def containers(job: dict[str, Any]) -> dict[str, dict[str, Any]]:
    pod = job["spec"]["template"]["spec"]
    return {each["name"]: each for each in (*pod["initContainers"], *pod["containers"])}


@pytest.mark.parametrize("name", PACKAGES)
def test_the_manifest_is_the_one_that_was_reviewed(name: str) -> None:
    text = yaml.safe_dump(job_of(PACKAGES[name]), sort_keys=False)
    file = GOLDEN / f"{name}.yaml"
    if os.environ.get("TREADLE_GOLDEN") == "write":
        file.write_text(text)
    assert yaml.safe_load(file.read_text()) == yaml.safe_load(text)


@pytest.mark.parametrize("name", PACKAGES)
def test_only_the_container_that_hands_over_sees_the_certificate(name: str) -> None:
    found = containers(job_of(PACKAGES[name]))
    for each in found.values():
        mounted = {mount["name"] for mount in each["volumeMounts"]}
        assert ("certificate" in mounted) == (each["name"] == "serve")
    assert found.keys() - OURS == ({"copy"} if name == "fetch-image" else set())


def test_the_image_with_the_sources_runs_nothing_of_its_own_and_changes_no_program() -> None:
    copy = containers(job_of(PACKAGES["fetch-image"]))["copy"]
    assert copy["image"] == "sources:1"
    assert copy["command"][0] == "/treadle/tool/busybox"
    (tool,) = [mount for mount in copy["volumeMounts"] if mount["name"] == "tool"]
    assert tool["readOnly"] is True


@pytest.mark.parametrize("name", PACKAGES)
def test_the_pod_is_nobodys_and_ends(name: str) -> None:
    job = job_of(PACKAGES[name])
    pod = job["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    for each in containers(job).values():
        assert each["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert each["securityContext"]["readOnlyRootFilesystem"] is True
        assert each["resources"]["limits"]["memory"]
    assert job["spec"]["activeDeadlineSeconds"] == 900
    assert all(volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"] if "emptyDir" in volume)


def test_the_certificate_goes_with_the_job_and_the_job_with_the_package() -> None:
    one = PACKAGES["fetch-archive"]
    job = job_of(one)
    job["metadata"]["uid"] = "uid-of-job"
    (owner,) = handover_metadata(one, job)["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Job", "uid-of-job")
    assert is_of_package(job, one)
    job["metadata"]["ownerReferences"][0]["uid"] = "another"
    assert not is_of_package(job, one)
