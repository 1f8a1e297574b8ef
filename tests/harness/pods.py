"""The containers of a chaincode's build and of its pod, as processes: each a real program.

Plays what a kubelet would: the order, the volumes (folders), the environment.
"""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from harness.operators import Operator
from harness.processes import Started
from treadle_runtime.v1 import runtime_pb2 as pb

TREADLE_POD = str(Path(sys.executable).parent / "treadle-pod")
BUILD_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Done:
    """A container that has ended: ``message`` is what it left for the pod's status."""

    code: int
    message: str
    log: str


@dataclass(kw_only=True)
class PodFolders:
    """The volumes of one build or runtime of *ccid*."""

    folder: Path
    ccid: str
    language: str
    peer: str
    started: list[Started] = field(default_factory=list)

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def chaincode(self) -> Path:
        return self.folder / "chaincode"

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate"

    @property
    def authority(self) -> Path:
        return self.folder / "ca" / "ca.crt"

    @property
    def termination(self) -> Path:
        return self.folder / "termination-log"

    def pod(self, *arguments: str, patience: float = 30, unknown: float = 0) -> list[str]:
        """A line of ``treadle-pod``."""
        paths = ["--certificate", str(self.certificate), "--termination", str(self.termination)]
        times = ["--patience", str(patience), "--unknown", str(unknown)]
        return [TREADLE_POD, *paths, *times, *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        told = {
            "PATH": os.environ["PATH"],
            "TREADLE_PEER_ADDRESS": self.peer,
            "TREADLE_CCID": self.ccid,
            "TREADLE_LANGUAGE": self.language,
            "CORE_PEER_LOCALMSPID": "Org1MSP",
        }
        return told | more

    def run(self, command: Sequence[str], **more: str) -> Done:
        """One container to its end."""
        self.termination.unlink(missing_ok=True)
        done = subprocess.run(
            command,
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=BUILD_SECONDS,
            check=False,
        )
        message = self.termination.read_text() if self.termination.exists() else ""
        return Done(code=done.returncode, message=message, log=done.stdout)

    def package(self, **more: str) -> Done:
        paths = ["--work", str(self.work), "--authority", str(self.authority)]
        return self.run(self.pod("package", *paths), **more)

    def build(self, shell: Sequence[str] = ("/bin/sh",), **more: str) -> Done:
        return self.run([*shell, str(self.work / "build.sh")], **{**toolchains(), **more})

    def store(self) -> Done:
        return self.run(self.pod("store", "--work", str(self.work)))

    def output(self, **more: str) -> Done:
        return self.run(self.pod("output", "--folder", str(self.chaincode)), **more)

    def start(self, shell: Sequence[str] = ("/bin/sh",), **more: str) -> Started:
        """The container of the chaincode itself."""
        return self._start([*shell, str(self.chaincode / "start.sh")], "chaincode.log", more)

    def bridge(self) -> Started:
        """The sidecar."""
        return self._start(self.pod("bridge"), "bridge.log", {})

    def _start(self, command: Sequence[str], log: str, more: Mapping[str, str]) -> Started:
        started = Started(command, output=self.folder / log, environment=self.environment(**more))
        self.started.append(started)
        return started

    def end(self) -> None:
        for one in self.started:
            one.stop()


async def folders_for(
    operator: Operator, ccid: str, language: str, folder: Path, purpose: pb.Purpose
) -> PodFolders:
    """Volumes with a Secret of that purpose."""
    issued, _ = await operator.issue(ccid, purpose)
    made = PodFolders(folder=folder, ccid=ccid, language=language, peer=issued.peer_address)
    for one in (made.work, made.chaincode, made.certificate):
        one.mkdir(parents=True)
    write_secret(made.certificate, issued)
    return made


def write_secret(folder: Path, issued: pb.IssueCertificateResponse) -> None:
    """The keys of a Secret, as files."""
    (folder / "ca.crt").write_bytes(issued.authority)
    for name, content in (
        ("client.crt", issued.certificate),
        ("client.key", issued.private_key),
    ):
        (folder / name).write_bytes(content)
        (folder / f"{name}.b64").write_bytes(base64.b64encode(content))


def tar_of(*entries: tuple[str, bytes, str]) -> bytes:
    """An archive with entries of (name, kind, where to or what)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            if kind == tarfile.REGTYPE:
                entry.size = len(content)
            else:
                entry.linkname = content
            archive.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


@cache
def toolchains() -> dict[str, str]:
    """What an administrator would give the builders of this machine: mirrors and caches."""
    home = Path.home()
    given = {
        "npm_config_cache": str(home / ".npm"),
        "PIP_CACHE_DIR": str(home / ".cache" / "pip"),
        "MAVEN_OPTS": f"-Dmaven.repo.local={home / '.m2' / 'repository'}",
    }
    if (home / ".npmrc").exists():
        given["npm_config_userconfig"] = str(home / ".npmrc")
    names = ("GOPROXY", "GOSUMDB", "GOCACHE", "GOMODCACHE", "GONOSUMDB", "GOTOOLCHAIN")
    told = subprocess.run(["go", "env", *names], capture_output=True, text=True, check=False)
    given |= {
        name: value for name, value in zip(names, told.stdout.splitlines(), strict=False) if value
    }
    kept = ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "JAVA_HOME", "PIP_INDEX_URL")
    return given | {name: os.environ[name] for name in kept if name in os.environ}
