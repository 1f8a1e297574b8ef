"""A pod from its binding to its end, in a thread of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.kubernetes.control_plane import ControlPlane
from harness.nodes import probes, status
from harness.nodes.containers import Container, now
from harness.nodes.images import Image
from harness.nodes.network import Bridge
from harness.nodes.sandbox import Mount, Room, Sandbox
from harness.nodes.volumes import NotYet, Volumes

Body = Mapping[str, Any]
_AGAIN = 0.3  # seconds until something that is missing is looked for again
_LONGEST = 5.0
_FINAL = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What all pods of a node share; ``hosts`` is the file that stands for cluster DNS."""

    plane: ControlPlane
    name: str
    bridge: Bridge
    images: MutableMapping[str, Image]
    folder: Path
    hosts: Path


class Pod:
    """Runs until it is deleted; ``tell`` brings each new version of its object."""

    def __init__(self, site: Site, body: Body) -> None:
        self._site = site
        self._body = body
        self._meta, self._spec = body["metadata"], body["spec"]
        self.folder = site.folder / "pods" / self._meta["uid"]
        self._api = site.plane.connection()
        self._wake = threading.Event()
        self._gone = threading.Event()
        self._sandbox: Sandbox | None = None
        self._volumes: Volumes | None = None
        self._address = ""
        self._started = now()
        self._written: dict[str, Any] = {}
        self._initialized = self._failed_init = False
        self._inits = [self._container(each) for each in self._spec.get("initContainers", [])]
        self._mains = [self._container(each) for each in self._spec["containers"]]
        self._sidecars = [each for each in self._inits if status.is_sidecar(each.spec)]
        self._thread = threading.Thread(target=self._run, name=self._meta["name"], daemon=True)
        self._thread.start()

    def tell(self, body: Body) -> None:
        self._body = body
        self._wake.set()

    def close(self) -> None:
        """End its processes at once."""
        self._gone.set()
        self._wake.set()
        self._thread.join(30)

    def log(self, container: str, *, previous: bool = False) -> Path:
        """The file with its output."""
        return self.folder / container / ("previous.log" if previous else "log")

    def _container(self, spec: Body) -> Container:
        folder = self.folder / spec["name"]
        folder.mkdir(parents=True, exist_ok=True)
        return Container(spec=spec, folder=folder, ended=self._wake.set)

    def _run(self) -> None:
        try:
            while not self._gone.is_set():
                self._wake.clear()
                if "deletionTimestamp" in self._body["metadata"]:
                    self._end()
                    return
                with suppress(OSError):  # the API server is away: what runs goes on
                    self._step()
                self._wake.wait(self._pause())
        finally:
            if self._sandbox is not None:
                self._sandbox.close()
            self._api.close()

    def _step(self) -> None:
        for container in (*self._inits, *self._mains):
            if container.reap():
                self._judge(container)
        if self._phase() not in _FINAL:
            self._go_on()
        if self._phase() in _FINAL:
            self._stop(self._sidecars, within=float(self._spec["terminationGracePeriodSeconds"]))
        self._write()

    def _go_on(self) -> None:
        if self._sandbox is None:
            self._sandbox = Sandbox()
            self._address = self._site.bridge.join(self._sandbox.pid)
        if self._volumes is None:
            try:
                self._volumes = Volumes(self._api, self._body, self.folder / "volumes")
            except NotYet as error:
                self._all_wait(str(error))
                return
        self._initialized = self._initialized or self._initialize()
        for sidecar in self._sidecars if self._initialized else ():
            self._keep(sidecar)
        for container in self._mains if self._initialized else ():
            self._keep(container)
        for container in (*self._sidecars, *self._mains):
            if not probes.look(container, self._address):
                container.signal(signal.SIGKILL)

    def _all_wait(self, message: str) -> None:
        for container in (*self._inits, *self._mains):
            container.waiting = ("ContainerCreating", message)

    def _initialize(self) -> bool:
        """Take the init containers on; True when the others may start."""
        for container in self._inits:
            if status.is_sidecar(container.spec):
                self._keep(container)
                probes.look(container, self._address)
                if not container.started:
                    return False
                continue
            if container.terminated is not None and container.terminated["exitCode"] == 0:
                container.ready = True
                continue
            self._failed_init = container.terminated is not None
            self._keep(container)
            return False
        return True

    def _judge(self, container: Container) -> None:
        """Whether one that has just ended is started again."""
        policy = self._spec["restartPolicy"]
        if status.is_sidecar(container.spec):
            policy = "Always"
        elif container in self._inits and policy == "Always":
            policy = "OnFailure"
        assert container.terminated is not None
        failed = container.terminated["exitCode"] != 0
        if policy == "Always" or (policy == "OnFailure" and failed):
            container.back_off()

    def _keep(self, container: Container) -> None:
        """Start it unless it runs, has ended for good, or waits."""
        waits = time.monotonic() < container.retry_at
        if not (container.running or container.terminated or waits):
            self._start(container)

    def _start(self, container: Container) -> None:
        assert self._sandbox is not None
        image = self._site.images.get(container.spec["image"])
        if image is None:
            text = f'Back-off pulling image "{container.spec["image"]}": not found'
            container.waiting = ("ImagePullBackOff", text)
            container.retry_at = time.monotonic() + _AGAIN
            return
        try:
            room = self._room(container.spec, image)
        except NotYet as error:
            container.waiting = ("CreateContainerConfigError", str(error))
            container.retry_at = time.monotonic() + _AGAIN
            return
        container.start(self._sandbox, room)

    def _room(self, spec: Body, image: Image) -> Room:
        assert self._volumes is not None
        general = self._spec.get("securityContext", {})
        group = general.get("fsGroup")
        security = {**general, **spec.get("securityContext", {})}
        security["supplementalGroups"] = [] if group is None else [group]
        fields = {
            "metadata.name": self._meta["name"],
            "metadata.namespace": self._meta["namespace"],
            "metadata.uid": self._meta["uid"],
            "spec.nodeName": self._site.name,
            "status.podIP": self._address,
        }
        hosts = Mount(source=self._site.hosts, target="/etc/hosts", read_only=True)
        own = {"HOSTNAME": self._meta["name"], **self._volumes.environment(spec, fields)}
        command = [*spec.get("command", image.command), *spec.get("args", [])]
        return Room(
            image=image,
            hostname=self._meta["name"][:63],
            mounts=[hosts, *self._volumes.mounts(spec)],
            environment={**image.variables, **own},
            command=command,
            folder=spec.get("workingDir", "/"),
            security=security,
        )

    def _phase(self) -> str:
        return status.phase(
            failed_init=self._failed_init, initialized=self._initialized, mains=self._mains
        )

    def _pause(self) -> float:
        """Seconds until there is something to do."""
        if self._sandbox is None or self._volumes is None:
            return _AGAIN
        everything = (*self._inits, *self._mains)
        dues = [probes.next_look(each) for each in everything]
        dues += [each.retry_at for each in everything if each.retry_at > time.monotonic() - _AGAIN]
        return min(_LONGEST, max(0.02, min(dues) - time.monotonic()))

    def _write(self) -> None:
        """Patch the status where it differs from what was written last."""
        found = self._phase()
        if not self._initialized:
            for container in self._mains if self._volumes is not None and self._inits else ():
                container.waiting = ("PodInitializing", "")
        wanted = {
            "phase": found,
            "hostIP": self._site.bridge.host,
            "podIP": self._address,
            "podIPs": [{"ip": self._address}] if self._address else [],
            "startTime": self._started,
            "initContainerStatuses": [each.status() for each in self._inits],
            "containerStatuses": [each.status() for each in self._mains],
            "conditions": status.conditions(
                self._body, found, initialized=self._initialized,
                containers=[*self._sidecars, *self._mains],
            ),
        }  # fmt: skip
        if wanted == self._written:
            return
        answer = self._api.merge(f"{self._path}/status", {"status": wanted})
        if answer.code == 404:
            self._gone.set()
        else:
            self._body = answer.expect()
            self._written = wanted

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self._meta['namespace']}/pods/{self._meta['name']}"

    def _stop(self, containers: list[Container], *, within: float) -> None:
        """SIGTERM, and SIGKILL when the time is over."""
        end = time.monotonic() + within
        for container in containers:
            container.signal(signal.SIGTERM)
        while any(each.running and not each.reap() for each in containers):
            self._wake.clear()
            if self._gone.is_set() or time.monotonic() > end:
                for container in containers:
                    container.signal(signal.SIGKILL)
            self._wake.wait(0.1)

    def _prepare(self, *, within: float) -> None:
        """What containers want to be run before they are told to end."""
        for container in self._mains:
            hook = container.spec.get("lifecycle", {}).get("preStop")
            if hook is not None and within > 0:
                with suppress(subprocess.TimeoutExpired):
                    probes.run_inside(container, hook["exec"]["command"], within)

    def _end(self) -> None:
        """What a deletion asks for: orderly, then for good."""
        grace = float(self._body["metadata"].get("deletionGracePeriodSeconds", 0))
        end = time.monotonic() + grace
        self._prepare(within=grace)
        left = max(end - time.monotonic(), 0)
        self._stop(self._mains, within=left)
        self._stop(self._inits, within=left)
        if self._sandbox is not None:
            self._sandbox.close()
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._meta["uid"]}}
        while not self._gone.is_set():
            try:
                self._write()
                self._api.request("DELETE", self._path, options)
                break
            except OSError:
                self._gone.wait(_AGAIN)
        shutil.rmtree(self.folder / "volumes", ignore_errors=True)
