"""A real API server takes the objects of runtimes, and their pods where only restricted ones may
run.
"""

from __future__ import annotations

from typing import Any

import pytest
from harness.kubernetes.api import APPLY_PATCH, Api
from harness.operating.chaincodes import instantiation
from harness.operating.fixtures import Cluster
from harness.operating.runtimes import LANGUAGES, demanding, objects, runtime_of
from harness.operating.world import Namespace
from treadle_operator.model import Manifest
from treadle_operator.resources import differs, stamped
from treadle_operator.resources.runtime_parts import RuntimeOf

pytestmark = pytest.mark.kubernetes

PATHS = {
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "Secret": "/api/v1/namespaces/{}/secrets",
}
RUNTIMES = {language: runtime_of(language) for language in LANGUAGES} | {"demanding": demanding()}


def enforce(api: Api, namespace: str) -> None:
    """Only restricted pods; and the account that they run as."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    api.merge(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": labels}}).expect()
    for name in ("peer0", "peer1"):
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        api.create(accounts, {"metadata": {"name": name}}).expect()


@pytest.mark.parametrize("name", RUNTIMES)
def test_restricted_pod_security_takes_every_pod_of_a_runtime(
    cluster: Cluster, space: Namespace, name: str
) -> None:
    enforce(cluster.plane.api, space.name)
    taken = [pod_of(space, manifest) for manifest in made(space, RUNTIMES[name])]
    for pod in filter(None, taken):
        answer = space.api.create(f"/api/v1/namespaces/{space.name}/pods?dryRun=All", pod)
        assert answer.accepted, answer


@pytest.mark.parametrize("name", RUNTIMES)
def test_what_is_stored_is_as_wanted_and_more_owners_are_no_other_pod(
    cluster: Cluster, space: Namespace, name: str
) -> None:
    enforce(cluster.plane.api, space.name)
    apply(space, RUNTIMES[name])
    runtime = RUNTIMES[name]
    claimed = RuntimeOf(
        peer=runtime.peer,
        ccid=runtime.ccid,
        language=runtime.language,
        claimed_by=(*runtime.claimed_by, instantiation("another")),
    )
    before = apply(space, runtime)
    after = apply(space, claimed)
    for old, new in zip(before, after, strict=True):
        assert new["metadata"]["uid"] == old["metadata"]["uid"]
        assert "another" in [one["name"] for one in new["metadata"]["ownerReferences"]]


def apply(space: Namespace, runtime: RuntimeOf) -> list[dict[str, Any]]:
    """As the operator applies them; what is stored then differs from nothing."""
    found = []
    for manifest in objects(runtime):
        body: dict[str, Any] = stamped(placed(space, manifest))
        path = f"{PATHS[body['kind']].format(space.name)}/{body['metadata']['name']}"
        query = "fieldManager=t&force=true"
        stored = space.api.request(
            "PATCH", f"{path}?{query}", body, content_type=APPLY_PATCH
        ).expect()
        assert not differs(body, stored)
        found.append(stored)
    return found


def placed(space: Namespace, manifest: Manifest) -> dict[str, Any]:
    """The manifest in the test's namespace."""
    body: dict[str, Any] = dict(manifest)
    return {**body, "metadata": {**body["metadata"], "namespace": space.name}}


def test_a_pod_that_is_not_restricted_is_refused_there(cluster: Cluster, space: Namespace) -> None:
    enforce(cluster.plane.api, space.name)
    (pod,) = [
        pod
        for pod in (pod_of(space, manifest) for manifest in made(space, RUNTIMES["golang"]))
        if pod and pod["spec"].get("restartPolicy") == "Never"
    ]
    del pod["spec"]["securityContext"]["seccompProfile"]
    answer = space.api.create(f"/api/v1/namespaces/{space.name}/pods?dryRun=All", pod)
    assert answer.code == 403
    assert "violates PodSecurity" in str(answer)


def made(space: Namespace, runtime: RuntimeOf) -> list[dict[str, Any]]:
    """The objects, as the API server stores them."""
    found = []
    for manifest in objects(runtime):
        body = placed(space, manifest)
        path = PATHS[body["kind"]].format(space.name)
        found.append(space.api.create(path, body).expect())
    return found


def pod_of(space: Namespace, manifest: dict[str, Any]) -> dict[str, Any] | None:
    """The pod that a controller would make."""
    template = manifest.get("spec", {}).get("template")
    if template is None:
        return None
    metadata = {**template["metadata"], "name": "p", "namespace": space.name}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
