"""Pods of the cluster's own image, as strict as a namespace labelled restricted demands."""

from __future__ import annotations

from typing import Any

from cluster.layout import TOOLS_IMAGE

NAMESPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {
        "name": "proof",
        "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
    },
}
PORT = 8080


def pod_spec(script: str, *, volume: dict[str, Any], mounted: str) -> dict[str, Any]:
    """One container that runs a shell script, with a volume at *mounted*."""
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "main",
                "image": TOOLS_IMAGE,
                "imagePullPolicy": "Never",
                "command": ["sh", "-c", script],
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [{"name": "given", "mountPath": mounted}],
            }
        ],
        "volumes": [{"name": "given", **volume}],
    }


def web() -> list[dict[str, Any]]:
    """Two replicas that say which pod they are over HTTP, behind a Service of port 80."""
    script = f"hostname > /tmp/index.html; echo serving; exec httpd -f -p {PORT} -h /tmp"
    spec = pod_spec(script, volume={"emptyDir": {}}, mounted="/tmp")
    probe = {"httpGet": {"port": PORT, "path": "/index.html"}, "periodSeconds": 1}
    spec["containers"][0]["readinessProbe"] = probe
    labels = {"app": "web"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": PORT}]},
    }
    return [deployment, service]


def claim(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }


def pod(name: str, script: str, *, claim_name: str) -> dict[str, Any]:
    """A pod that is not started anew, with the claim's volume at /data."""
    volume = {"persistentVolumeClaim": {"claimName": claim_name}}
    spec = pod_spec(script, volume=volume, mounted="/data") | {"restartPolicy": "Never"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
