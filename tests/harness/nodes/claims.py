"""A provisioner: every claim of the default class gets a folder of this host."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.kubernetes.control_plane import ControlPlane
from harness.nodes.following import Change

CLASS = "folders"
_PROVISIONER = "tests.treadle.dev/folders"
CLAIMS, VOLUMES = "/api/v1/persistentvolumeclaims", "/api/v1/persistentvolumes"


class Folders:
    """Makes volumes below *folder*, and removes those whose claim is gone."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self._claims, self._volumes = plane.connection(), plane.connection()
        self._folder = folder
        default = {"storageclass.kubernetes.io/is-default-class": "true"}
        body = {
            "metadata": {"name": CLASS, "annotations": default},
            "provisioner": _PROVISIONER,
            "allowVolumeExpansion": True,
        }
        plane.api.create("/apis/storage.k8s.io/v1/storageclasses", body).expect()

    def close(self) -> None:
        self._claims.close()
        self._volumes.close()

    def claim(self, change: Change, body: Mapping[str, Any]) -> None:
        """A change of a claim."""
        meta, spec = body["metadata"], body["spec"]
        if change == "DELETED" or spec.get("volumeName") or spec.get("storageClassName") != CLASS:
            return
        name = f"folder-{meta['uid']}"
        reference = {key: meta[key] for key in ("name", "namespace", "uid")}
        volume = {
            "metadata": {"name": name},
            "spec": {
                "accessModes": spec["accessModes"],
                "capacity": spec["resources"]["requests"],
                "claimRef": {"kind": "PersistentVolumeClaim", "apiVersion": "v1", **reference},
                "hostPath": {"path": str(self._folder / name)},
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": CLASS,
            },
        }
        with suppress(OSError):
            self._claims.create(VOLUMES, volume)  # there already: seen before

    def volume(self, change: Change, body: Mapping[str, Any]) -> None:
        """A change of a volume."""
        if change == "DELETED" or body.get("status", {}).get("phase") != "Released":
            return
        if body["spec"].get("storageClassName") == CLASS:
            shutil.rmtree(body["spec"]["hostPath"]["path"], ignore_errors=True)
            with suppress(OSError):
                self._volumes.delete(f"{VOLUMES}/{body['metadata']['name']}")
