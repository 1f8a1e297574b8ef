"""A real API server takes the objects of runtimes, and their pods where only restricted ones may
run.
"""

from __future__ import annotations

from typing import Any

import pytest
from harness.kubernetes.api import Api
from harness.operating.fixtures import Cluster
from harness.operating.runtimes import LANGUAGES, demanding, objects, runtime_of
from harness.operating.world import Namespace
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
        body: dict[str, Any] = dict(manifest)
        body["metadata"] = {**body["metadata"], "namespace": space.name}
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
