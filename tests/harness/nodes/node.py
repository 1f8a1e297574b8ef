"""A node whose pods are processes of this host.

Unlike a kubelet it limits no memory and no processors, brings mounted Secrets not up to date,
enforces no NetworkPolicy and writes no Events; everything that a pod's status says is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from harness.kubernetes.control_plane import ControlPlane
from harness.nodes.claims import CLAIMS, VOLUMES, Folders
from harness.nodes.following import Change, Following
from harness.nodes.hosts import SLICES, Hosts
from harness.nodes.images import Image
from harness.nodes.kubelet import KubeletPort
from harness.nodes.network import Bridge
from harness.nodes.pods import Pod, Site

NAME = "processes"
_BEAT = 10.0  # seconds between two heartbeats; a node is given up after 40
_CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "500", "ephemeral-storage": "1Ti"}


class ProcessNode:
    """Registered with *plane*, where controllers and a scheduler run; a context manager.

    ``hosts`` is the file by which names of Services lead to pods. *images* may be changed while
    it runs: a container of an image that is not there waits for it.
    """

    def __init__(self, plane: ControlPlane, folder: Path, *, images: Mapping[str, Image]) -> None:
        folder.mkdir(mode=0o755)
        self.images = dict(images)
        self._plane = plane
        self._folder = folder
        self._hosts = Hosts(folder / "hosts")
        self._pods: dict[str, Pod] = {}
        self._end = threading.Event()
        self._stack = ExitStack()

    @property
    def hosts(self) -> Path:
        return self._hosts.file

    @property
    def address(self) -> str:
        """The host's own, where pods reach it."""
        return self._site.bridge.host

    def __enter__(self) -> Self:
        bridge = self._stack.enter_context(Bridge())
        self._site = Site(
            plane=self._plane, name=NAME, bridge=bridge, images=self.images,
            folder=self._folder, hosts=self.hosts,
        )  # fmt: skip
        port = self._stack.enter_context(KubeletPort(self._plane, self._log))
        self._register(bridge.host, port.port)
        beat = threading.Thread(target=self._beat, name="heartbeat")
        beat.start()
        self._stack.callback(beat.join)
        self._stack.callback(self._end.set)
        self._stack.callback(self._close_pods)
        folders = Folders(self._plane, self._folder / "volumes")
        self._stack.callback(folders.close)
        self._follow(CLAIMS, folders.claim)
        self._follow(VOLUMES, folders.volume)
        self._follow(SLICES, self._hosts.tell)
        self._follow(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{NAME}", self._tell)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _follow(self, path: str, tell: Callable[[Change, Mapping[str, Any]], None]) -> None:
        self._stack.callback(Following(self._plane, path, tell).close)

    def _close_pods(self) -> None:
        for pod in self._pods.values():
            pod.close()

    def _tell(self, change: Change, body: Mapping[str, Any]) -> None:
        uid = body["metadata"]["uid"]
        if change == "DELETED":
            pod = self._pods.pop(uid, None)
            if pod is not None:
                pod.close()
        elif uid in self._pods:
            self._pods[uid].tell(body)
        else:
            self._pods[uid] = Pod(self._site, body)

    def _log(self, uid: str, container: str, previous: bool) -> Path | None:
        pod = self._pods.get(uid)
        return None if pod is None else pod.log(container, previous=previous)

    def _register(self, address: str, port: int) -> None:
        meta = {"name": NAME, "labels": {"kubernetes.io/hostname": NAME}}
        self._plane.api.create("/api/v1/nodes", {"metadata": meta}).expect()
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "lastHeartbeatTime": moment,
            "lastTransitionTime": moment,
        }
        status = {
            "capacity": _CAPACITY,
            "allocatable": _CAPACITY,
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            "conditions": [ready],
        }
        self._plane.api.merge(f"/api/v1/nodes/{NAME}/status", {"status": status}).expect()

    def _beat(self) -> None:
        api = self._plane.connection()
        leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        while True:
            moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            spec = {"holderIdentity": NAME, "leaseDurationSeconds": 40, "renewTime": moment}
            with suppress(OSError):
                if not api.merge(f"{leases}/{NAME}", {"spec": spec}).accepted:
                    api.create(leases, {"metadata": {"name": NAME}, "spec": spec})
            if self._end.wait(_BEAT):
                api.close()
                return
