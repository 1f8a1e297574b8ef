"""A namespace with a service account that may do exactly what the chart's Role says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from harness.kubernetes.control_plane import ControlPlane
from harness.kubernetes.resources import ROOT

RULES = ROOT / "charts" / "treadle" / "files" / "operator-rules.yaml"
NAME = "treadle-operator"


@dataclass(frozen=True, slots=True)
class Account:
    """``namespace`` is fresh; ``token`` authenticates the operator's service account there.

    ``authority`` is the file that the API server's certificate is checked with.
    """

    namespace: str
    token: str
    authority: str

    @property
    def user(self) -> str:
        """Its name in the audit log."""
        return f"system:serviceaccount:{self.namespace}:{NAME}"

    def kubeconfig(self, file: Path, *, server: str) -> Path:
        """Write a kubeconfig that reaches *server* as this account."""
        cluster = {"server": server}
        if server.startswith("https:"):
            cluster["certificate-authority"] = self.authority
        context = {"cluster": "c", "user": "u", "namespace": self.namespace}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": self.token}}],
            "contexts": [{"name": "x", "context": context}],
            "current-context": "x",
        }
        file.write_text(yaml.safe_dump(config))
        return file


def rules() -> list[dict[str, Any]]:
    """The rules of the chart's Role."""
    loaded: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())
    return loaded


def new_account(cluster: ControlPlane) -> Account:
    """Make a namespace, the account, its Role, and a token for the longest enumeration."""
    namespace, api = f"test-{time.monotonic_ns()}", cluster.api
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"metadata": {"name": namespace, "labels": labels}}
    api.create("/api/v1/namespaces", body).expect()
    core = f"/api/v1/namespaces/{namespace}"
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    api.create(f"{core}/serviceaccounts", {"metadata": {"name": NAME}}).expect()
    api.create(f"{rbac}/roles", {"metadata": {"name": NAME}, "rules": rules()}).expect()
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME}
    binding = {"metadata": {"name": NAME}, "subjects": [subject], "roleRef": role}
    api.create(f"{rbac}/rolebindings", binding).expect()
    wanted = {"spec": {"expirationSeconds": 24 * 3600}}
    answer = api.create(f"{core}/serviceaccounts/{NAME}/token", wanted).expect()
    admin = yaml.safe_load(cluster.kubeconfig.read_text())
    authority = admin["clusters"][0]["cluster"]["certificate-authority"]
    return Account(namespace, answer["status"]["token"], authority)
