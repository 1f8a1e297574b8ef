"""What a developer's command is started with."""

from __future__ import annotations

from pathlib import Path

import pytest
from treadle_cli.dev.starting import DirectFiles, Told, arguments, environment, language_of
from treadle_cli.dev.watching import is_source

AT = "127.0.0.1:4711"
FILES = DirectFiles(
    root=Path("/f/ca"),
    certificate=Path("/f/crt"),
    key=Path("/f/key"),
    certificate_base64=Path("/f/crt64"),
    key_base64=Path("/f/key64"),
)


def started(line: str, *, serves: bool = False) -> str:
    command = line.split()
    told = Told(ccid="a:1", address=AT, msp_id="M", language=language_of(command), serves=serves)
    return " ".join(arguments(command, told))


@pytest.mark.parametrize(
    ("typed", "run"),
    [
        ("./chaincode", f"./chaincode -peer.address {AT}"),
        ("go run .", f"go run . -peer.address {AT}"),
        ("node --inspect index.js", f"node --inspect index.js --peer.address {AT}"),
        ("npm start", f"npm start -- --peer.address {AT}"),
        ("npm start -- --quiet", f"npm start -- --quiet --peer.address {AT}"),
        ("java -jar cc.jar", "java -jar cc.jar"),
        (".venv/bin/python3.11 cc.py", ".venv/bin/python3.11 cc.py"),
        ("dlv exec ./cc -- -peer.address {address}", f"dlv exec ./cc -- -peer.address {AT}"),
        ("./cc -peer.address=10.0.0.1:7052", "./cc -peer.address=10.0.0.1:7052"),
        ("dlv debug .", "dlv debug ."),
        ("sh -c make", "sh -c make"),
    ],
)
def test_the_address_goes_where_the_language_reads_it(typed: str, run: str) -> None:
    assert started(typed) == run


def test_a_server_is_given_no_address_to_dial() -> None:
    assert started("./chaincode", serves=True) == "./chaincode"


def test_a_chaincode_that_dials_is_told_name_and_address_and_no_tls_of_the_developers() -> None:
    told = Told(ccid="a:1", address=AT, msp_id="M", language="golang")
    mine = {"PATH": "/bin", "CORE_PEER_TLS_ROOTCERT_FILE": "/x", "CORE_TLS_CLIENT_KEY_PATH": "/y"}
    assert environment(told, mine) == {
        "PATH": "/bin",
        "CORE_CHAINCODE_ID_NAME": "a:1",
        "CORE_ID_CHAINCODE_NAME": "a:1",
        "CORE_PEER_LOCALMSPID": "M",
        "CORE_PEER_ADDRESS": AT,
        "CORE_PEER_TLS_ENABLED": "false",
    }


def test_a_server_is_told_where_to_listen() -> None:
    told = Told(ccid="a:1", address=AT, msp_id="M", language="python", serves=True)
    found = environment(told, {})
    assert (found["CHAINCODE_ID"], found["CHAINCODE_SERVER_ADDRESS"]) == ("a:1", AT)
    assert "CORE_PEER_ADDRESS" not in found


def test_with_tls_of_its_own_it_is_told_all_forms_of_its_files() -> None:
    told = Told(ccid="a:1", address=AT, msp_id="M", language="node", files=FILES)
    found = environment(told, {})
    assert found["CORE_PEER_TLS_ENABLED"] == "true"
    assert found["CORE_PEER_TLS_ROOTCERT_FILE"] == "/f/ca"
    assert found["CORE_TLS_CLIENT_KEY_PATH"] == "/f/key64"
    assert found["CORE_TLS_CLIENT_CERT_FILE"] == "/f/crt"


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("main.go", True),
        ("lib/contract.js", True),
        ("Makefile", True),
        ("target/classes/Contract.class", False),
        ("build/libs/a.jar", False),
        ("chaincode", False),
    ],
)
def test_what_a_build_leaves_behind_starts_nothing_again(
    path: str, counts: bool, tmp_path: Path
) -> None:
    # Also where the checkout itself lies below a folder of such a name.
    root = tmp_path / "build"
    file = root / path
    file.parent.mkdir(parents=True)
    file.touch(mode=0o755 if path == "chaincode" else 0o644)
    assert is_source(str(file), below=[root]) is counts
