"""Sources come out of archives and folders, become a package, and reach only the operator."""

from __future__ import annotations

import hashlib
import http.server
import io
import ssl
import stat
import subprocess
import sys
import tarfile
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.processes import Started, wait_until
from harness.real_peer import free_port
from treadle_fabric.identity import CertificateAuthority
from treadle_fabric.packages import build_legacy_package, parse_legacy_package, read_archive
from treadle_peer.pods.fetching import Naming, fetch_archive, freeze, leave_tool
from treadle_peer.pods.told import PodError

COMMAND = [sys.executable, "-c", "from treadle_peer.pods.command import main; main()"]
ASSET = Naming(name="asset", version="1.0", language="node")
FILES = {"index.js": b"x", "package.json": b"{}", "node_modules/a/index.js": b"y"}


def tar(files: dict[str, bytes], *, links: dict[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return buffer.getvalue()


class Site:
    """A web site on loopback: what each path answers."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = site.pages.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *_: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    one = Site()
    thread = threading.Thread(target=one.server.serve_forever)
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_an_archive_is_fetched_checked_and_unpacked(site: Site, tmp_path: Path) -> None:
    data = tar(FILES)
    site.pages["/moved"] = (302, {"Location": f"{site.address}/a.tgz"}, b"")
    site.pages["/a.tgz"] = (200, {}, data)
    fetch_archive(f"{site.address}/moved", hashlib.sha256(data).hexdigest().upper(), tmp_path)
    assert files_below(tmp_path) == {f"source/{name}": text for name, text in FILES.items()}


def test_an_archive_that_is_not_what_was_asked_for_is_refused(site: Site, tmp_path: Path) -> None:
    site.pages["/a.tgz"] = (200, {}, tar(FILES))
    site.pages["/short"] = (200, {"Content-Length": "1000000"}, b"x")
    site.pages["/page"] = (200, {}, b"<html>")
    site.pages["/link"] = (200, {}, tar({}, links={"a": "/etc/passwd"}))
    site.pages["/climb"] = (200, {}, tar({"../a": b""}))
    site.pages["/file"] = (302, {"Location": "file:///etc/passwd"}, b"")
    for path, sha256, sentence in [
        ("/a.tgz", "ab" * 32, "has SHA-256"),
        ("/short", "", "too early"),
        ("/page", "", "cannot be unpacked"),
        ("/link", "", "no regular file"),
        ("/climb", "", "illegal name"),
        ("/file", "", "not allowed"),
        ("/none", "", "answers 404"),
    ]:
        with pytest.raises(PodError, match=sentence):
            fetch_archive(site.address + path, sha256, tmp_path)
    for url, sentence in [
        ("file:///etc/passwd", "no https: or http: address"),
        ("http://127.0.0.1:1/ä.tgz", "percent-encoded"),
        ("http://127.0.0.1:1/a b.tgz?token=hunter2", "percent-encoded"),
        ("http://127.0.0.1:port/a.tgz", "percent-encoded"),
        (f"http://{'a' * 70}.example/a.tgz", "percent-encoded"),
        ("https://me:hunter2@127.0.0.1/a.tgz", "names a user or a password"),
        (f"http://127.0.0.1:{free_port()}/a.tgz?token=hunter2", "/a.tgz cannot be fetched"),
        (f"http://127.0.0.1:{free_port()}/", "cannot be fetched"),
    ]:
        with pytest.raises(PodError, match=sentence) as told:
            fetch_archive(url, "", tmp_path)
        assert "hunter2" not in str(told.value)
    assert not (tmp_path / "source" / "a").exists()


def lay_out(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def test_dependencies_that_come_along_are_packed_too(tmp_path: Path) -> None:
    lay_out(tmp_path / "source", FILES)
    (tmp_path / "source" / "node_modules" / ".bin").mkdir()
    (tmp_path / "source" / "node_modules" / ".bin" / "a").symlink_to("../a/index.js")
    freeze(ASSET, tmp_path)
    package = parse_legacy_package((tmp_path / "package").read_bytes())
    assert (package.name, package.version, package.language) == ("asset", "1.0", "node")
    names = {entry.name for entry in read_archive(package.code, what="code")}
    assert names == {f"src/{name}" for name in (*FILES, "node_modules/.bin/a")}


def test_one_folder_around_everything_is_no_part_of_the_package(tmp_path: Path) -> None:
    lay_out(tmp_path / "source" / "asset-1.0", {"package.json": b"{}"})
    lay_out(tmp_path / "bare", {"package.json": b"{}"})
    freeze(ASSET, tmp_path)
    expected = build_legacy_package(
        name="asset", version="1.0", language="node", path="asset", source=tmp_path / "bare"
    )
    assert (tmp_path / "package").read_bytes() == expected


def test_a_java_project_that_is_only_src_is_packed_as_it_is(tmp_path: Path) -> None:
    lay_out(tmp_path / "source", {"src/chaincode.jar": b"PK"})
    freeze(Naming(name="asset", version="1.0", language="java"), tmp_path)
    package = parse_legacy_package((tmp_path / "package").read_bytes())
    names = {entry.name for entry in read_archive(package.code, what="code")}
    assert names == {"src/src/chaincode.jar"}


def test_sources_that_make_no_package_are_told_without_our_folders(tmp_path: Path) -> None:
    lay_out(tmp_path / "source", {"index.js": b""})
    with pytest.raises(PodError, match=r"no package\.json") as caught:
        freeze(ASSET, tmp_path)
    assert str(tmp_path) not in str(caught.value)
    (tmp_path / "source" / "out").symlink_to("/etc/passwd")
    with pytest.raises(PodError, match=r"out is a link that leaves the source"):
        freeze(ASSET, tmp_path)


def test_the_copying_program_is_left_to_be_run(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    leave_tool(tmp_path, work)
    assert (work / "source").is_dir()
    lay_out(tmp_path / "image", FILES)
    copying = [tmp_path / "busybox", "cp", "-R", f"{tmp_path}/image/.", work / "source"]
    subprocess.run(copying, check=True)
    assert files_below(work / "source") == FILES
    assert stat.S_IMODE((tmp_path / "busybox").stat().st_mode) == 0o755


def certificate(folder: Path) -> ssl.SSLContext:
    """What the operator makes for one Job, in *folder*, and how it connects with it."""
    authority = CertificateAuthority.create(common_name="handover", organization="test")
    issued = authority.issue(common_name="handover", client=True, server=True)
    folder.mkdir()
    (folder / "ca.crt").write_bytes(authority.certificate_pem)
    (folder / "tls.crt").write_bytes(issued.certificate_pem)
    (folder / "tls.key").write_bytes(issued.key_pem)
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.check_hostname = False
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


def test_only_who_holds_the_certificate_gets_the_package(tmp_path: Path) -> None:
    own, other = certificate(tmp_path / "own"), certificate(tmp_path / "other")
    (tmp_path / "package").write_bytes(b"package" * 100_000)
    port = free_port()
    command = [
        *COMMAND, "--certificate", str(tmp_path / "own"), "serve",
        "--work", str(tmp_path), "--port", str(port),
    ]  # fmt: skip
    server = Started(command, output=tmp_path / "log")
    try:
        _check_who_gets_it(port, own, other)
    finally:
        server.stop()
    assert server.wait(within=0) == 0


def _check_who_gets_it(port: int, own: ssl.SSLContext, other: ssl.SSLContext) -> None:
    def get(context: ssl.SSLContext, path: str = "/package") -> bytes:
        address = f"https://127.0.0.1:{port}{path}"
        with urllib.request.urlopen(address, context=context, timeout=10) as answer:
            content: bytes = answer.read()
            return content

    def answers() -> bool:
        try:
            return bool(get(own))
        except OSError:
            return False

    wait_until(answers, within=20, what="the server")
    assert get(own) == b"package" * 100_000
    nobody = ssl.create_default_context()
    nobody.check_hostname, nobody.verify_mode = False, ssl.CERT_NONE
    other.verify_mode = ssl.CERT_NONE
    for stranger in (nobody, other):
        with pytest.raises(OSError, match=r"alert|reset|EOF|closed"):
            get(stranger)
    with pytest.raises(OSError, match="404"):
        get(own, "/tls.key")
    assert get(own) == b"package" * 100_000
