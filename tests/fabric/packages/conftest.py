"""Chaincode projects as their developers lay them out."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

MAIN_GO = b"package main\n\nfunc main() {}\n"
INDEX = b'{"index": {"fields": ["owner"]}, "ddoc": "d", "name": "n", "type": "json"}\n'

GO_MODULE: Mapping[str, bytes] = {
    "go.mod": b"module example.com/asset\n\ngo 1.21\n",
    "go.sum": b"",
    "main.go": MAIN_GO,
    "main_test.go": b"package main\n",
    "internal/model/model.go": b"package model\n",
    "data/text.json": b"{}",
    ".hidden": b"kept, as every file is",
    ".git/config": b"hidden folders are not",
    "META-INF/statedb/couchdb/indexes/owner.json": INDEX,
    "META-INF/statedb/couchdb/indexes/.swp": b"hidden metadata is not kept",
}
VENDORED: Mapping[str, bytes] = {
    **GO_MODULE,
    "vendor/modules.txt": b"# example.com/dep v1.0.0\n## explicit\nexample.com/dep\n",
    "vendor/example.com/dep/dep.go": b"package dep\n",
    "go.mod": b"module example.com/asset\n\ngo 1.21\n\nrequire example.com/dep v1.0.0\n",
    "main.go": b'package main\n\nimport _ "example.com/dep"\n\nfunc main() {}\n',
}
NODE: Mapping[str, bytes] = {
    "package.json": b'{"name": "asset", "scripts": {"start": "fabric-chaincode-node start"}}',
    "index.js": b"'use strict';\n",
    "lib/contract.js": b"'use strict';\n",
    ".npmignore": b"x",
    "node_modules/dep/index.js": b"left out",
    "lib/node_modules/dep/index.js": b"left out",
    ".git/config": b"left out",
    "META-INF/statedb/couchdb/collections/c1/indexes/owner.json": INDEX,
}
JAVA: Mapping[str, bytes] = {
    "pom.xml": b"<project/>\n",
    "src/main/java/org/example/Asset.java": b"class Asset {}\n",
    "src/main/resources/META-INF/services/x": b"y",
    "target/classes/Asset.class": b"left out",
    "build/libs/asset.jar": b"left out",
    "src/main/java/Left.class": b"left out",
}
PYTHON: Mapping[str, bytes] = {
    "chaincode.py": b"print()\n",
    "requirements.txt": b"fabric-chaincode-python==2.5.4\n",
    "asset/__init__.py": b"",
    "asset/__pycache__/x.pyc": b"left out",
    "stray.pyc": b"left out",
    ".venv/bin/python": b"left out",
}

Project = Callable[[Mapping[str, bytes]], Path]
Tar = Callable[..., bytes]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Write files into a folder and return it."""

    def write(files: Mapping[str, bytes]) -> Path:
        name = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:8]
        root = tmp_path / name
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        return root

    return write


@pytest.fixture
def projects() -> Mapping[str, Mapping[str, bytes]]:
    """The projects by name."""
    return {
        "go": GO_MODULE,
        "vendored": VENDORED,
        "node": NODE,
        "java": JAVA,
        "python": PYTHON,
    }


@pytest.fixture
def tar() -> Tar:
    """A gzipped tar of (name, mode, content, type), as a stranger would make it."""

    def make(*entries: tuple[str, int, bytes, bytes], link: str = "") -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
            for name, mode, content, kind in entries:
                info = tarfile.TarInfo(name)
                info.mode, info.size, info.type = mode, len(content), kind
                info.linkname = link
                archive.addfile(info, io.BytesIO(content))
        return buffer.getvalue()

    return make


@pytest.fixture
def listing() -> Callable[[bytes], dict[str, bytes]]:
    """The regular files of an archive by name."""

    def read(code: bytes) -> dict[str, bytes]:
        with tarfile.open(fileobj=io.BytesIO(code), mode="r:gz") as archive:
            members = [member for member in archive if member.isfile()]
            return {member.name: archive.extractfile(member).read() for member in members}

    return read
