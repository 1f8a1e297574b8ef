"""The lines that start a developer's process, in every language."""

from __future__ import annotations

from pathlib import Path

import pytest
from treadle_fabric.packages import build_legacy_package
from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.packages import FilePackageStore
from treadle_peer.chaincode.startlines import DevelopmentFiles, start_line
from treadle_peer.main.developing import StartLines

FILES = DevelopmentFiles(
    root=Path("/d/peer.crt"),
    certificate=Path("/d/client.pem"),
    key=Path("/d/key.pem"),
    certificate_base64=Path("/d/client.crt"),
    key_base64=Path("/d/client.key"),
)
NAMED = "CORE_CHAINCODE_ID_NAME=a:1"


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("golang", f"{NAMED} CORE_PEER_TLS_ENABLED=false <chaincode> -peer.address h:7052"),
        (
            "node",
            f"{NAMED} CORE_PEER_TLS_ENABLED=false node <chaincode>.js --peer.address h:7052",
        ),
        (
            "java",
            f"{NAMED} CORE_PEER_TLS_ENABLED=false CORE_PEER_ADDRESS=h:7052 "
            "java -jar <chaincode>.jar",
        ),
        (
            "python",
            "CHAINCODE_ID=a:1 CHAINCODE_SERVER_ADDRESS=127.0.0.1:9999 python <chaincode>.py  and  "
            "treadle bridge --peer h:7052 --chaincode 127.0.0.1:9999 --id a:1",
        ),
        ("", f"{NAMED} CORE_PEER_TLS_ENABLED=false <chaincode> --peer.address h:7052"),
    ],
)
def test_without_tls(language: str, line: str) -> None:
    assert start_line(ccid="a:1", language=language, address="h:7052", files=None) == line


@pytest.mark.parametrize("language", ["golang", "node", "java", ""])
def test_with_tls_a_shim_gets_base64_files(language: str) -> None:
    line = start_line(ccid="a:1", language=language, address="h:7052", files=FILES)
    assert line.startswith(
        f"{NAMED} CORE_PEER_TLS_ENABLED=true CORE_PEER_TLS_ROOTCERT_FILE=/d/peer.crt "
        "CORE_TLS_CLIENT_KEY_PATH=/d/client.key CORE_TLS_CLIENT_CERT_PATH=/d/client.crt "
    )


def test_with_tls_the_bridge_gets_pem_files() -> None:
    line = start_line(ccid="a:1", language="python", address="h:7052", files=FILES)
    assert line.endswith(
        "--id a:1 --cafile /d/peer.crt --certfile /d/client.pem --keyfile /d/key.pem"
    )


@pytest.fixture
def lines(tmp_path: Path) -> StartLines:
    """Of a peer on which the Node chaincode n:1 is installed."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "package.json").write_text("{}")
    store = FilePackageStore(tmp_path / "chaincodes")
    store.install(
        build_legacy_package(name="n", version="1", language="node", path="x", source=source)
    )
    authority = ChaincodeAuthority.open(tmp_path / "authority")
    return StartLines(packages=store, authority=authority, address="h:7052", tls=False)


def test_the_installed_package_tells_the_language(lines: StartLines) -> None:
    assert lines.line("n:1").endswith(" node <chaincode>.js --peer.address h:7052")
    assert lines.line("n:2").endswith(" <chaincode> --peer.address h:7052")
    assert lines.line("../n").endswith(" <chaincode> --peer.address h:7052")


def test_the_banner_has_every_language(lines: StartLines) -> None:
    text = "\n".join(lines.for_anyone())
    assert "<name>:<version> CORE_PEER_TLS_ENABLED=false <chaincode> --peer.address h:7052" in text
    assert "\n  treadle bridge --peer h:7052 --chaincode 127.0.0.1:9999" in text
