"""Probes of a container: what its manifest asks for, asked as a kubelet asks."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from harness.nodes.containers import Container

_PERIOD, _FAILURES = 10, 3  # the API's defaults


def look(container: Container, address: str) -> bool:
    """Ask the probes that are due; False: the container has to be killed for it."""
    if not container.running:
        return True
    startup = container.spec.get("startupProbe")
    if not container.started and startup is not None:
        container.started = _ask(container, "startupProbe", address) is True
        limit = startup.get("failureThreshold", _FAILURES)
        if not container.started:
            return _failures(container, "startupProbe") < int(limit)
    container.started = True
    readiness = container.spec.get("readinessProbe")
    result = True if readiness is None else _ask(container, "readinessProbe", address)
    if result is True:
        container.ready = True
    elif readiness is not None and result is False:
        limit = readiness.get("failureThreshold", _FAILURES)
        container.ready = container.ready and _failures(container, "readinessProbe") < limit
    liveness = container.spec.get("livenessProbe")
    if liveness is None:
        return True
    _ask(container, "livenessProbe", address)
    return _failures(container, "livenessProbe") < liveness.get("failureThreshold", _FAILURES)


def next_look(container: Container) -> float:
    """When one of its probes is due, by time.monotonic()."""
    if not container.running:
        return time.monotonic() + 60
    kinds = ["readinessProbe", "livenessProbe"] if container.started else ["startupProbe"]
    dues = [_due(container, kind) for kind in kinds if kind in container.spec]
    return min(dues, default=time.monotonic() + 60)


def _failures(container: Container, kind: str) -> int:
    return container.probed.get(kind, (0.0, 0))[1]


def _due(container: Container, kind: str) -> float:
    probe = container.spec[kind]
    if kind not in container.probed:
        return container.probed[""][0] + float(probe.get("initialDelaySeconds", 0))
    return container.probed[kind][0] + float(probe.get("periodSeconds", _PERIOD))


def _ask(container: Container, kind: str, address: str) -> bool | None:
    """None: it is not due."""
    if time.monotonic() < _due(container, kind):
        return None
    good = _answers(container, container.spec[kind], address)
    failures = 0 if good else _failures(container, kind) + 1
    container.probed[kind] = (time.monotonic(), failures)
    return good


def _answers(container: Container, probe: Mapping[str, Any], address: str) -> bool:
    seconds = float(probe.get("timeoutSeconds", 1))
    try:
        if "httpGet" in probe:
            return _http(probe["httpGet"], address, _port(container, probe["httpGet"]), seconds)
        if "tcpSocket" in probe:
            target = address, _port(container, probe["tcpSocket"])
            socket.create_connection(target, timeout=seconds).close()
            return True
        return run_inside(container, probe["exec"]["command"], seconds)
    except (OSError, http.client.HTTPException, subprocess.TimeoutExpired):
        return False


def _port(container: Container, action: Mapping[str, Any]) -> int:
    wanted = action["port"]
    names = {each.get("name"): each["containerPort"] for each in container.spec.get("ports", [])}
    return wanted if isinstance(wanted, int) else int(names[wanted])


def _http(action: Mapping[str, Any], address: str, port: int, seconds: float) -> bool:
    connection: http.client.HTTPConnection
    if action.get("scheme") == "HTTPS":
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(address, port, timeout=seconds, context=context)
    else:
        connection = http.client.HTTPConnection(address, port, timeout=seconds)
    try:
        connection.request("GET", action.get("path", "/"))
        return 200 <= connection.getresponse().status < 400
    finally:
        connection.close()


def run_inside(container: Container, command: list[str], seconds: float) -> bool:
    """Whether *command* succeeds in the container; it ends with it. Raises TimeoutExpired."""
    pid = container.first_process()
    if pid is None:
        return False
    inside = ["nsenter", f"--target={pid}", "--net", "--pid", "--mount", "--uts", "--root", "--wd"]
    done = subprocess.run([*inside, *command], capture_output=True, timeout=seconds, check=False)
    return done.returncode == 0
