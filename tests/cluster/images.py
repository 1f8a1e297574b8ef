"""Small images of the machine's own busybox and C library, written without any registry.

One is the pause container, what the volume provisioner runs, and what tests of the cluster run;
others hold one program besides, for example a chaincode that was built before.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from cluster.layout import TOOLS_IMAGE, Layout
from cluster.space import enter, run

IMPORT_SECONDS = 900.0
_PASSWD = b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
_NAMES = b"hosts: files dns\n"


def write_tools(path: Path) -> None:
    """Write TOOLS_IMAGE to *path* as an OCI archive; FileNotFoundError without busybox."""
    # The one that is nobody's command: a pause container does nothing until it is ended.
    blobs = _blobs([_layer()], {"Entrypoint": ["/bin/busybox", "sleep", "infinity"]})
    _write(path, blobs, name=TOOLS_IMAGE)


def write_program(path: Path, program: Path, *, name: str, command: Sequence[str]) -> str:
    """An image whose *command* may use /program and busybox, as an OCI archive; its name@digest.

    It is imported under that very name: nodes find it by its digest, without any registry.
    """
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as files:
        _add(files, "program", program.read_bytes(), mode=0o755)
    blobs = _blobs([_layer(), layer.getvalue()], {"Cmd": list(command)})
    reference = f"{name}@{_digest(blobs[-1])}"
    _write(path, blobs, name=reference)
    return reference


def _blobs(layers: Sequence[bytes], settings: Mapping[str, object]) -> list[bytes]:
    """The layers, the configuration and, last, the manifest."""
    config = {
        "architecture": _architecture(),
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], **settings},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in layers]},
    }
    encoded = json.dumps(config).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _described(encoded, "config.v1+json"),
        "layers": [_described(layer, "layer.v1.tar") for layer in layers],
    }
    return [*layers, encoded, json.dumps(manifest).encode()]


def _write(path: Path, blobs: Sequence[bytes], *, name: str) -> None:
    names = {"io.containerd.image.name": name}
    index = _described(blobs[-1], "manifest.v1+json") | {"annotations": names}
    with tarfile.open(path, "w") as archive:
        _add(archive, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        for blob in blobs:
            _add(archive, f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}", blob)
        _add(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": [index]}).encode())


def load(layout: Layout, holder: int, archive: Path) -> list[str]:
    """Import an OCI or Docker archive into the cluster; the names of its images."""
    client = ["ctr", f"--address={layout.containerd_socket}", "--namespace=k8s.io"]
    importing = [*client, "images", "import", str(archive.resolve())]
    said = run(*enter(holder), *importing, within=IMPORT_SECONDS)
    return re.findall(r"unpacking (\S+)", said)


def _layer() -> bytes:
    found = shutil.which("busybox")
    if found is None:
        raise FileNotFoundError("busybox is not installed; the cluster's own image is made of it")
    busybox = Path(found).resolve()
    listed = subprocess.run([found, "--list"], check=True, capture_output=True, text=True).stdout
    linked = subprocess.run(["ldd", str(busybox)], check=False, capture_output=True, text=True)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as layer:
        _add(layer, "bin/busybox", busybox.read_bytes(), mode=0o755)
        for library in re.findall(r"(/\S+) \(0x", linked.stdout):
            _add(layer, library.lstrip("/"), Path(library).read_bytes(), mode=0o755)
        for name in sorted(set(listed.split()) - {"busybox"}):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            layer.addfile(link)
        _add(layer, "etc/passwd", _PASSWD)
        _add(layer, "etc/nsswitch.conf", _NAMES)
        scratch = tarfile.TarInfo("tmp")
        scratch.type, scratch.mode = tarfile.DIRTYPE, 0o1777
        layer.addfile(scratch)
    return content.getvalue()


def _architecture() -> str:
    return run("dpkg", "--print-architecture").strip()


def _add(archive: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _described(content: bytes, kind: str) -> dict[str, object]:
    media = f"application/vnd.oci.image.{kind}"
    return {"mediaType": media, "digest": _digest(content), "size": len(content)}
