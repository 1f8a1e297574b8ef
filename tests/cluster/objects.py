"""What a cluster holds from its start on: the name server's Service and the storage class."""

from __future__ import annotations

from typing import Any

from cluster.layout import DNS_SERVICE, TOOLS_IMAGE, Layout

_SYSTEM = "kube-system"
_HELPER = f"""
apiVersion: v1
kind: Pod
metadata:
  name: helper-pod
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: helper-pod
    image: {TOOLS_IMAGE}
    imagePullPolicy: Never
"""


def objects(layout: Layout) -> list[dict[str, Any]]:
    """Manifests, in the order of their creation."""
    return [*_name_service(layout), *_storage()]


def _name_service(layout: Layout) -> list[dict[str, Any]]:
    """CoreDNS runs beside the pods, so its Service names an address instead of a selector."""
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": _SYSTEM},
        "spec": {"clusterIP": DNS_SERVICE, "ports": ports},
    }
    slices = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kube-dns",
            "namespace": _SYSTEM,
            "labels": {"kubernetes.io/service-name": "kube-dns"},
        },
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": [{"addresses": [layout.node_address], "conditions": {"ready": True}}],
    }
    return [service, slices]


def _storage() -> list[dict[str, Any]]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "local-path", "annotations": annotations},
        "provisioner": "rancher.io/local-path",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    }
    scripts = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "local-path-config", "namespace": _SYSTEM},
        "data": {
            "setup": '#!/bin/sh\nset -eu\nmkdir -m 0777 -p "$VOL_DIR"\n',
            "teardown": '#!/bin/sh\nset -eu\nrm -rf "$VOL_DIR"\n',
            "helperPod.yaml": _HELPER,
        },
    }
    return [storage_class, scripts]
