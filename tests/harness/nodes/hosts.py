"""What stands for cluster DNS: a hosts file with the addresses of pods behind each Service.

There is no proxy for virtual addresses: the name of any Service leads straight to its ready pods,
and to none when it has none.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.nodes.following import Change

SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
_OWN = "127.0.0.1 localhost\n::1 localhost\n"


class Hosts:
    """Kept in *file*, rewritten in place: containers have it mounted."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._slices: dict[str, Mapping[str, Any]] = {}
        self._lock = threading.Lock()
        self._write()

    def tell(self, change: Change, body: Mapping[str, Any]) -> None:
        """A change of an EndpointSlice."""
        uid = body["metadata"]["uid"]
        with self._lock:
            if change == "DELETED":
                self._slices.pop(uid, None)
            else:
                self._slices[uid] = body
            self._write()

    def _write(self) -> None:
        lines = sorted({line for each in self._slices.values() for line in _lines(each)})
        content = (_OWN + "".join(lines)).encode()
        if self.file.exists() and self.file.read_bytes() == content:
            return
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(descriptor, content, 0)
            os.ftruncate(descriptor, len(content))
        finally:
            os.close(descriptor)


def _lines(body: Mapping[str, Any]) -> Iterator[str]:
    meta = body["metadata"]
    service = meta.get("labels", {}).get("kubernetes.io/service-name")
    if not service:
        return
    name = f"{service}.{meta['namespace']}"
    names = f"{name}.svc.cluster.local {name}.svc {name}"
    for endpoint in body.get("endpoints") or []:
        if endpoint.get("conditions", {}).get("ready"):
            yield from (f"{address} {names}\n" for address in endpoint["addresses"])
