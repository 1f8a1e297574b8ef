"""Write type stubs for the installed Fabric messages, so that mypy knows their fields.

``hyperledger-fabric-protos`` ships without stubs. The descriptors inside its modules hold
everything a stub needs: they go to protoc as a descriptor set, and mypy-protobuf writes the
stubs into ``build/stubs`` (never committed). Called by ``make lint``.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import shutil
import sys
from pathlib import Path

import fabric_protos
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FileDescriptor
from grpc_tools import protoc

OUT = Path(__file__).resolve().parent.parent / "build" / "stubs"
FOLDERS = "common|discovery|gateway|gossip|ledger|msp|orderer|peer|transientstore"
IMPORT = re.compile(rf"^(from|import) ({FOLDERS})(?=[.\s])", re.MULTILINE)
REFERENCE = re.compile(rf"(?<![\w.])({FOLDERS})\.(?=[\w.]+_pb2\b)")


def message_files() -> dict[str, FileDescriptor]:
    """Every .proto file behind the package's modules, by name, dependencies first."""
    found: dict[str, FileDescriptor] = {}

    def add(file: FileDescriptor) -> None:
        for dependency in file.dependencies:
            add(dependency)
        found.setdefault(file.name, file)

    for module in pkgutil.walk_packages(fabric_protos.__path__, "fabric_protos."):
        if module.name.endswith("_pb2"):
            add(importlib.import_module(module.name).DESCRIPTOR)
    return found


def write_descriptor_set(files: dict[str, FileDescriptor], path: Path) -> None:
    """Store *files* as one FileDescriptorSet."""
    everything = descriptor_pb2.FileDescriptorSet()
    for file in files.values():
        everything.file.add().MergeFromString(file.serialized_pb)
    path.write_bytes(everything.SerializeToString())


def move_under_package(folder: Path) -> None:
    """Make the stubs import each other as the real modules do, below ``fabric_protos``."""
    package = folder / "fabric_protos"
    for stub in sorted(folder.rglob("*.pyi")):
        text = IMPORT.sub(r"\1 fabric_protos.\2", stub.read_text())
        target = package / stub.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(REFERENCE.sub(r"fabric_protos.\1.", text))
    for directory in [package, *(p for p in package.rglob("*") if p.is_dir())]:
        (directory / "__init__.pyi").touch()


def main() -> int:
    """Write the stubs unless they are there for the installed version."""
    shutil.rmtree(OUT, ignore_errors=True)
    raw = OUT / "raw"
    raw.mkdir(parents=True)
    files = message_files()
    descriptor_set = raw / "fabric.binpb"
    write_descriptor_set(files, descriptor_set)
    names = [name for name in files if not name.startswith("google/")]
    arguments = [
        "protoc",
        f"--descriptor_set_in={descriptor_set}",
        f"--plugin=protoc-gen-mypy={Path(sys.executable).parent / 'protoc-gen-mypy'}",
        f"--mypy_out=quiet:{raw}",
    ]
    status = int(protoc.main([*arguments, *names]))
    if status == 0:
        move_under_package(raw)
        shutil.move(raw / "fabric_protos", OUT / "fabric_protos")
    shutil.rmtree(raw)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
