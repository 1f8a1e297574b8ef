"""From a package to an output: what is refused, what a failure tells, what needs no network."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.chaincodes import PEER_LANGUAGE, built, copy_sources
from harness.pods import PodFolders
from treadle_fabric.identity import CertificateAuthority
from treadle_fabric.packages import build_legacy_package, parse_legacy_package, wrap_code
from treadle_peer.pods.building import Building, collect, prepare
from treadle_peer.pods.told import PodError
from treadle_peer.server.artifacts_client import Package

SHELLS = [["dash"], ["busybox", "sh"]]
NO_NETWORK = {
    "GOPROXY": "off",
    "GOMODCACHE": "/nonexistent",
    "npm_config_registry": "http://127.0.0.1:9",
    "npm_config_cache": "",
    "npm_config_fetch_retries": "0",
    "PIP_INDEX_URL": "http://127.0.0.1:9",
    "PIP_CACHE_DIR": "",
    "MAVEN_OPTS": "-DproxySet=true -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=9",
}
PASSWORD = "hunter2"


@pytest.fixture
def folders(tmp_path: Path) -> Callable[[str], PodFolders]:
    def make(language: str) -> PodFolders:
        made = PodFolders(folder=tmp_path, ccid="asset:1", language=language, peer="nowhere:1")
        made.work.mkdir()
        return made

    return make


def unpack(folders: PodFolders, raw: bytes, path: str = "asset") -> None:
    """What ``treadle-pod package`` does with what it has fetched."""
    package = Package(ccid="asset:1", language=folders.language, path=path, raw=raw)
    paths = Building(
        work=folders.work, authority=folders.authority, termination=folders.termination
    )
    prepare(package, paths)


def package_of(source: Path, language: str) -> bytes:
    return build_legacy_package(
        name="asset",
        version="1",
        language=PEER_LANGUAGE[language],
        path="asset",
        source=source,
        dependencies=True,
    )


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_package_are_refused(
    folders: Callable[[str], PodFolders], kind: bytes
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("src/package.json")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    raw = wrap_code(
        name="asset", version="1", language="node", path="asset", code=buffer.getvalue()
    )
    here = folders("node")
    with pytest.raises(PodError, match=r"package.json is no regular file"):
        unpack(here, raw)
    assert not (here.work / "build.sh").exists()


@pytest.mark.toolchain("go")
@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_a_broken_source_tells_the_compilers_last_lines(
    folders: Callable[[str], PodFolders], tmp_path: Path, shell: list[str]
) -> None:
    source = tmp_path / "source-of-it"
    source.mkdir()
    (source / "go.mod").write_text("module example.com/broken\n\ngo 1.22\n")
    many = "\n".join(f"// {number} {'x' * 60}" for number in range(200))
    address = f"https://me:{PASSWORD}@mirror.example/x"
    (source / "main.go").write_text(
        f'package main\n{many}\nfunc main() {{ here("{address}") + "{address}" }}\n'
    )
    here = folders("golang")
    unpack(here, package_of(source, "go"), "example.com/broken")
    done = here.build(shell)
    assert done.code == 1
    assert "go build -buildvcs=false failed with exit code 1:" in done.message
    assert "undefined: here" in done.message
    assert len(done.message.encode()) <= 4096
    assert "undefined: here" in done.log, "for whoever reads the container's log"


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_the_told_end_of_a_log_is_short_and_holds_no_password(
    folders: Callable[[str], PodFolders], tmp_path: Path, shell: list[str]
) -> None:
    source = tmp_path / "source-of-it"
    source.mkdir()
    (source / "requirements.txt").write_text("")
    said = f"x = 1\n{'# ' + 'y' * 90}\n" * 100
    (source / "chaincode.py").write_text(f"{said}https://me:{PASSWORD}@host/ is no Python\n")
    here = folders("python")
    unpack(here, package_of(source, "python"))
    done = here.build(shell)
    assert done.code == 1
    assert "python3 -m compileall failed with exit code 1:" in done.message
    assert "https://***@host/ is no Python" in done.message
    assert PASSWORD not in done.message
    assert len(done.message.encode()) <= 4096


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_no_part_of_a_password_is_told_wherever_the_end_begins(
    folders: Callable[[str], PodFolders], tmp_path: Path, shell: list[str]
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    said = f"https://me:{'z' * 4000}{PASSWORD}@host/ refuses"
    (tools / "go").write_text(f"#!/bin/sh\necho {said}\nexit 1\n")
    (tools / "go").chmod(0o755)
    here = folders("golang")
    unpack(here, package_of(copy_sources("go", tmp_path / "s"), "go"))
    done = here.build(shell, PATH=f"{tools}:{os.environ['PATH']}")
    assert done.message.endswith("failed with exit code 1:\nhttps://***@host/ refuses\n")


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_an_image_without_the_toolchain_is_named(
    folders: Callable[[str], PodFolders], tmp_path: Path, shell: list[str]
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "mkdir", "tail", "sed", "tee", "cat", "cp", "env", "busybox", "dash"):
        (tools / name).symlink_to(shutil.which(name) or "/nonexistent")
    here = folders("golang")
    unpack(here, package_of(copy_sources("go", tmp_path / "s"), "go"))
    done = here.build(shell, PATH=str(tools))
    assert done.code == 1
    assert done.message.startswith("the builder image has no go; name one that has it")


@pytest.mark.parametrize(
    "language",
    [
        pytest.param("go", marks=pytest.mark.toolchain("go")),
        pytest.param("node", marks=pytest.mark.toolchain("node")),
        pytest.param("java", marks=pytest.mark.toolchain("java")),
        "python",
    ],
)
def test_what_a_package_brings_is_built_without_a_network_and_the_same_twice(
    folders: Callable[[str], PodFolders], tmp_path: Path, language: str
) -> None:
    source = vendored(language, tmp_path / "vendored")
    here = folders(PEER_LANGUAGE[language])
    digests = []
    for number in range(2):
        unpack(here, package_of(source, language), "treadle.dev/examples/accounts")
        done = here.build(**NO_NETWORK)
        assert done.code == 0, done.log
        archive = tmp_path / f"{number}.tar"
        collect(here.work, archive)
        digests.append(hashlib.sha256(archive.read_bytes()).hexdigest())
        shutil.rmtree(here.work)
        here.work.mkdir()
    assert digests[0] == digests[1]


def vendored(language: str, folder: Path) -> Path:
    """The example with everything that its build would fetch."""
    copy_sources(language, folder)
    if language == "go":
        subprocess.run(["go", "mod", "vendor"], cwd=folder, check=True)
    elif language == "node":
        modules = built("node") / "node_modules"
        shutil.copytree(modules, folder / "node_modules", symlinks=True)
        shutil.rmtree(folder / "node_modules" / ".bin")
    elif language == "java":
        (folder / "src").mkdir(exist_ok=True)
        shutil.copy(built("java") / "target" / "chaincode.jar", folder / "src")
        (folder / "pom.xml").unlink()
    else:
        line = [sys.executable, "-m", "pip", "download", "-q", "-d", "wheels"]
        subprocess.run([*line, "-r", "requirements.txt"], cwd=folder, check=True)
    return folder


def test_nothing_is_stored_of_a_build_that_made_nothing(
    folders: Callable[[str], PodFolders], tmp_path: Path
) -> None:
    here = folders("golang")
    with pytest.raises(PodError, match="no package was unpacked in"):
        collect(here.work, tmp_path / "output.tar")
    raw = package_of(copy_sources("go", tmp_path / "s"), "go")
    assert parse_legacy_package(raw).language == "golang"
    unpack(here, raw)
    with pytest.raises(PodError, match="go build made no program"):
        collect(here.work, tmp_path / "output.tar")


@pytest.mark.parametrize("leads_to", ["/etc/passwd", "../../secret", "lib/../../../x"])
def test_links_that_lead_out_are_not_stored(
    folders: Callable[[str], PodFolders], tmp_path: Path, leads_to: str
) -> None:
    here = folders("node")
    unpack(here, package_of(copy_sources("node", tmp_path / "s"), "node"))
    (here.work / "source" / "src" / "link").symlink_to(leads_to)
    with pytest.raises(PodError, match=r"source/link in the output is a link to .* leads out"):
        collect(here.work, tmp_path / "output.tar")


@pytest.mark.toolchain("java")
def test_java_trusts_a_given_authority_beside_all_that_it_knows(
    folders: Callable[[str], PodFolders], tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("src/src/chaincode.jar"))
    code = buffer.getvalue()
    here = folders("java")
    unpack(here, wrap_code(name="asset", version="1", language="java", path="asset", code=code))
    here.authority.parent.mkdir()
    authority = CertificateAuthority.create(common_name="mirror", organization="Mirror")
    here.authority.write_bytes(authority.certificate_pem)
    done = here.build(SSL_CERT_FILE="/dev/null")
    assert done.code == 0, done.log
    listing = ["keytool", "-list", "-storepass", "changeit"]
    before, after = (
        subprocess.run([*listing, *store], capture_output=True, text=True, check=True).stdout
        for store in (["-cacerts"], ["-keystore", str(here.work / "trust.jks")])
    )
    assert "ca-1.pem" in after
    assert after.count("trustedCertEntry") == before.count("trustedCertEntry") + 1 > 1


@pytest.mark.toolchain("node")
@pytest.mark.toolchain("java")
def test_given_authorities_are_trusted_beside_the_known_ones(
    folders: Callable[[str], PodFolders], tmp_path: Path
) -> None:
    source = tmp_path / "source-of-it"
    source.mkdir()
    check = 'const t = require("fs").readFileSync(process.env.SSL_CERT_FILE, "utf8");'
    check += 'process.exit(t.includes("GIVEN") && t.includes("KNOWN") ? 0 : 7)'
    (source / "check.js").write_text(check)
    scripts = '"scripts": {"start": "node check.js", "preinstall": "node check.js"}'
    (source / "package.json").write_text(f'{{"name": "a", "version": "1.0.0", {scripts}}}')
    here = folders("node")
    here.authority.parent.mkdir()
    known = tmp_path / "known.crt"
    known.write_text("KNOWN\n")
    unpack(here, package_of(source, "node"))
    assert here.build(SSL_CERT_FILE=str(known)).code == 1, "nothing is given yet"
    here.authority.write_text("GIVEN\n")
    done = here.build(SSL_CERT_FILE=str(known))
    assert done.code == 0, done.log
