"""A whole small cluster on this host: API server, controllers, and a node of processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from harness.kubernetes.control_plane import ControlPlane
from harness.kubernetes.controllers import start_controllers
from harness.kubernetes.resources import CRDS, PLURALS, collection
from harness.nodes.images import Image
from harness.nodes.node import ProcessNode
from harness.processes import wait_until

_COUNT = count(1)


@dataclass(frozen=True, slots=True)
class Machine:
    """``plane`` with our definitions, ``node`` with every image that was named."""

    plane: ControlPlane
    node: ProcessNode

    def namespace(self, *, level: str = "restricted") -> str:
        """A new one with that Pod Security Standard enforced."""
        name = f"space-{next(_COUNT)}"
        labels = {"pod-security.kubernetes.io/enforce": level}
        body = {"metadata": {"name": name, "labels": labels}}
        self.plane.api.create("/api/v1/namespaces", body).expect()
        return name


@contextmanager
def machine(
    folder: Path, *, binaries: Path, images: Mapping[str, Image], flags: Sequence[str] = ()
) -> Iterator[Machine]:
    """Ready for pods; everything ends with the context."""
    folder.chmod(0o755)
    with ExitStack() as stack:
        plane = stack.enter_context(ControlPlane(folder, binaries=binaries, flags=flags))
        start_controllers(plane)
        node = stack.enter_context(ProcessNode(plane, folder / "node", images=images))
        plane.kubectl("apply", "--server-side", "-f", str(CRDS))
        wait_until(
            lambda: all(plane.api.get(collection(kind)).accepted for kind in PLURALS),
            within=30,
            what="the custom resources being served",
        )
        yield Machine(plane, node)


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods of one namespace."""

    machine: Machine
    namespace: str

    def path(self, name: str = "", part: str = "") -> str:
        pieces = (f"/api/v1/namespaces/{self.namespace}/pods", name, part)
        return "/".join(piece for piece in pieces if piece)

    def create(self, name: str, spec: Mapping[str, Any]) -> None:
        """With what the restricted standard asks of a pod."""
        security = {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        limits = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        whole: dict[str, Any] = {"securityContext": security, **spec}
        for kind in ("initContainers", "containers"):
            if kind in whole:
                whole[kind] = [{"securityContext": limits, **each} for each in whole[kind]]
        body = {"metadata": {"name": name, "labels": {"app": name}}, "spec": whole}
        self.machine.plane.api.create(self.path(), body).expect()

    def get(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.machine.plane.api.get(self.path(name)).expect()
        return found

    def until(
        self, name: str, holds: Callable[[Mapping[str, Any]], object], *, what: str
    ) -> dict[str, Any]:
        """The pod once *holds* of its status."""
        wait_until(
            lambda: holds(self.get(name).get("status", {})), within=60, what=f"{name}: {what}"
        )
        return self.get(name)

    def phase(self, name: str, wanted: str) -> dict[str, Any]:
        return self.until(name, lambda status: status.get("phase") == wanted, what=wanted)

    def ready(self, name: str) -> dict[str, Any]:
        return self.until(name, is_ready, what="ready")

    def log(self, name: str, container: str = "main") -> str:
        plane = self.machine.plane
        return plane.kubectl("-n", self.namespace, "logs", name, "-c", container)


def is_ready(status: Mapping[str, Any]) -> bool:
    found = {each["type"]: each["status"] for each in status.get("conditions", [])}
    return found.get("Ready") == "True"
