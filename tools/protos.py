"""Generate the Python code of our own API from its .proto files.

    tools/protos.py [FOLDER]

Writes messages, services and their stubs beside the sources below ``protos/``, or below FOLDER,
where a test compares them with what is checked in.
"""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

SOURCES = Path(__file__).resolve().parent.parent / "protos"


def generate(target: Path) -> int:
    """Write everything below *target*; protoc's exit code."""
    binaries = Path(sys.executable).parent
    well_known = resources.files("grpc_tools") / "_proto"
    files = sorted(str(file.relative_to(SOURCES)) for file in SOURCES.rglob("*.proto"))
    arguments = [
        "protoc",
        f"--proto_path={SOURCES}",
        f"--proto_path={well_known}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--plugin=protoc-gen-mypy={binaries / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={binaries / 'protoc-gen-mypy_grpc'}",
        f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet:{target}",
    ]
    return int(protoc.main([*arguments, *files]))


if __name__ == "__main__":
    raise SystemExit(generate(Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCES))
