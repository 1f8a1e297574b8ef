"""Volumes of a pod as folders of this host.

What is mounted of a Secret or ConfigMap stays as it was when the pod started: a kubelet would
bring it up to date about once a minute.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.kubernetes.api import Api
from harness.nodes.sandbox import Mount

Body = Mapping[str, Any]


class NotYet(Exception):
    """Something that the pod refers to is not there; the text is for people."""


class Volumes:
    """Made in *folder*, for one pod; raises NotYet while an object is missing."""

    def __init__(self, api: Api, pod: Body, folder: Path) -> None:
        self._api = api
        self._namespace = pod["metadata"]["namespace"]
        self._group = pod["spec"].get("securityContext", {}).get("fsGroup")
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._places = {each["name"]: self._make(each) for each in pod["spec"].get("volumes", [])}

    def mounts(self, container: Body) -> list[Mount]:
        """Where the container wants them."""
        return [
            Mount(
                source=self._places[each["name"]] / each.get("subPath", ""),
                target=each["mountPath"],
                read_only=each.get("readOnly", False),
            )
            for each in container.get("volumeMounts", [])
        ]

    def environment(self, container: Body, fields: Mapping[str, str]) -> dict[str, str]:
        """Its variables; *fields* are the pod's own fields by path."""
        found: dict[str, str] = {}
        for entry in container.get("env", []):
            source = entry.get("valueFrom", {})
            if "fieldRef" in source:
                found[entry["name"]] = fields[source["fieldRef"]["fieldPath"]]
            elif "secretKeyRef" in source:
                found[entry["name"]] = self._key("secrets", source["secretKeyRef"]).decode()
            elif "configMapKeyRef" in source:
                found[entry["name"]] = self._key("configmaps", source["configMapKeyRef"]).decode()
            else:
                found[entry["name"]] = entry.get("value", "")
        return found

    def _key(self, plural: str, reference: Body) -> bytes:
        data = self._data(plural, reference["name"])
        if reference["key"] not in data:
            raise NotYet(f"couldn't find key {reference['key']} in {plural} {reference['name']}")
        return data[reference["key"]]

    def _make(self, volume: Body) -> Path:
        place = self._folder / volume["name"]
        if "persistentVolumeClaim" in volume:
            return self._claimed(volume["persistentVolumeClaim"]["claimName"])
        place.mkdir(exist_ok=True)
        if "emptyDir" in volume:
            self._give(place, 0o777)
        elif "secret" in volume:
            source = volume["secret"]
            self._fill(place, source, self._data("secrets", source["secretName"], source))
        elif "configMap" in volume:
            source = volume["configMap"]
            self._fill(place, source, self._data("configmaps", source["name"], source))
        else:
            raise NotYet(f"volume {volume['name']} is of a kind that process nodes lack")
        return place

    def _claimed(self, name: str) -> Path:
        path = f"/api/v1/namespaces/{self._namespace}/persistentvolumeclaims/{name}"
        volume = self._api.get(path).expect()["spec"].get("volumeName")
        if volume is None:
            raise NotYet(f"claim {name} is not bound")
        found = self._api.get(f"/api/v1/persistentvolumes/{volume}").expect()
        place = Path(found["spec"]["hostPath"]["path"])
        place.mkdir(parents=True, exist_ok=True)
        self._give(place, 0o770)
        return place

    def _give(self, place: Path, mode: int) -> None:
        if self._group is not None:
            os.chown(place, 0, self._group)
            mode |= 0o2070
        place.chmod(mode)

    def _data(self, plural: str, name: str, source: Body | None = None) -> dict[str, bytes]:
        answer = self._api.get(f"/api/v1/namespaces/{self._namespace}/{plural}/{name}")
        if answer.code == 404 and source is not None and source.get("optional"):
            return {}
        if answer.code == 404:
            raise NotYet(f'{plural.removesuffix("s")} "{name}" not found')
        body = answer.expect()
        plain = {key: value.encode() for key, value in (body.get("data") or {}).items()}
        if plural == "secrets":
            return {key: base64.b64decode(value) for key, value in plain.items()}
        coded = (body.get("binaryData") or {}).items()
        return plain | {key: base64.b64decode(value) for key, value in coded}

    def _fill(self, place: Path, source: Body, data: Mapping[str, bytes]) -> None:
        items = source.get("items") or [{"key": key, "path": key} for key in data]
        for item in items:
            if item["key"] not in data:
                if source.get("optional"):
                    continue
                raise NotYet(f"references non-existent secret key: {item['key']}")
            file = place / item["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            file.write_bytes(data[item["key"]])
            mode = item.get("mode", source.get("defaultMode", 0o644))
            if self._group is not None:
                os.chown(file, 0, self._group)
                mode |= 0o440  # as the kubelet's fsGroup does
            file.chmod(mode)
