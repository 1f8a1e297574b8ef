"""Our ``peer`` command against the real Fabric peer and orderer, beside the real command.

Both are typed the same lines; standard output, exit code and what is said must be alike.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness.chaincodes import built, start_by_hand
from harness.fabric_cli import FabricCli
from harness.processes import wait_until
from harness.real_network import RealNetwork

pytestmark = [pytest.mark.real_fabric, pytest.mark.toolchain("go"), pytest.mark.timeout(300)]

OURS = Path(sys.executable).parent / "peer"
CHANNEL = "one"

# What may differ: moments, ids, hashes, ANSI colours, the usage text after an error.
_VARYING = [
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC [0-9a-f]{4} "), ""),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<hex>"),
    (re.compile(r"(?s)\nUsage:.*"), "\n"),
    (re.compile(r'"height":\d+'), '"height":<n>'),
    (re.compile(r'Hash":"[^"]*"'), 'Hash":"<hash>"'),
    (re.compile(r"(Received block|last config block): \d+"), r"\1: <n>"),
]


@dataclass(frozen=True)
class Said:
    """What one run of a command printed, without what varies."""

    code: int
    out: str
    err: str

    @classmethod
    def of(cls, done: subprocess.CompletedProcess[str]) -> Said:
        return cls(done.returncode, _without_varying(done.stdout), _without_varying(done.stderr))


def _without_varying(text: str) -> str:
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    return text.rstrip("\n")


def typed(cli: FabricCli, folder: Path, *arguments: str) -> Said:
    done = subprocess.run(
        [str(cli.binary), *arguments],
        env=cli.environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Said.of(done)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory, fabric_bin: Path) -> Iterator[RealNetwork]:
    """A channel made and joined by our command, and the Go example connected by hand."""
    folder = tmp_path_factory.mktemp("fabric")
    network = RealNetwork(folder=folder, binaries=fabric_bin)
    with ExitStack() as stack:
        stack.callback(network.stop)
        network.start()
        ours = network.cli(OURS)
        creation = str(network.creation_transaction(CHANNEL))
        create = ["channel", "create", "-c", CHANNEL, "-f", creation, *ours.orderer_flags()]
        ours.run(*create, cwd=folder)
        ours.run("channel", "join", "-b", f"{CHANNEL}.block", cwd=folder)
        chaincode = start_by_hand(
            "go",
            built("go"),
            ccid="accounts:1",
            address=network.chaincode_address,
            output=folder / "chaincode.log",
        )
        stack.callback(chaincode.stop)
        # A Fabric peer without Docker answers 500 and keeps the package.
        ours.install("accounts", "1", str(built("go")), succeeds=False)
        _instantiate(ours, folder)
        yield network


def _instantiate(ours: FabricCli, folder: Path) -> None:
    flags = ["-C", CHANNEL, "-n", "accounts", "-v", "1", "-c", '{"Args":["init","a","9"]}']
    command = ["chaincode", "instantiate", *ours.orderer_flags(), *flags]

    def instantiated() -> bool:
        done = typed(ours, folder, *command)
        return done.code == 0 or "already exists" in done.err

    # The chaincode registers in its own time.
    wait_until(instantiated, within=30, what="accounts being instantiated")
    listed = ["chaincode", "list", "--instantiated", "-C", CHANNEL]
    wait_until(lambda: "accounts" in typed(ours, folder, *listed).out, within=30, what="a commit")


ALIKE = [
    "channel list",
    "channel list extra",
    "channel getinfo -c one",
    "channel getinfo -c nope",
    "channel getinfo",
    "channel fetch newest -c one",
    "channel fetch config c.block -c one",
    "channel fetch 0 -c one ORDERER",
    "channel fetch 99999 -c one ORDERER",
    "channel fetch 99999 -c one",
    "channel fetch foo -c one",
    "channel fetch -c one",
    "channel fetch 0 -c nope ORDERER",
    "channel join -b one.block",
    "channel join -b nofile",
    "channel join",
    "channel create -c one",
    "channel create -c two -f one.tx ORDERER",
    "channel create -c one -f nofile ORDERER",
    "channel update -c one -f one.tx ORDERER",
    "chaincode list --installed",
    "chaincode list --instantiated -C one",
    "chaincode list",
    "chaincode install -n accounts -v 1 -p GOEXAMPLE",
    'chaincode invoke -n accounts -C one -c {"Args":["set","k","v"]} ORDERER',
    'chaincode invoke -n accounts -C one -c {"Args":["set","k","v"]} --waitForEvent',
    'chaincode invoke -n accounts -C one -c {"Args":["fail","x"]} ORDERER',
    'chaincode invoke -n accounts -C one -c {"Args":["status","404","no"]} ORDERER --tls false',
    'chaincode query -n accounts -C one -c {"Args":["query","a"]}',
    'chaincode query -n accounts -C one -c {"Function":"query","Args":["a"]} -x',
    'chaincode query -n=accounts -C=one -c={"Args":["query","a"]} --raw=true',
    'chaincode query -n accounts -C one -c {"Args":["query","a"]} -r -x',
    'chaincode query -n accounts -C one -c {"Args":["fail","x"]}',
    'chaincode query -n nope -C one -c {"Args":["x"]}',
    'chaincode query -n accounts -C nope -c {"Args":["x"]}',
    'chaincode query -n accounts -c {"Args":["x"]}',
    'chaincode query -n accounts -C one -c {"Args":["x"]',
    "chaincode query -n accounts -C one -c {}",
    'chaincode query -n accounts -C one -c {"args":["x"],"y":1}',
    'chaincode query -C one -c {"Args":["x"]}',
    'chaincode query -n accounts -C one -c {"Args":["x",1]}',
    'chaincode invoke -n accounts -C one -c {"Args":["info"]} ORDERER --transient {"a":1}',
    'chaincode instantiate -n accounts -v 1 -C one -c {"Args":["init"]} ORDERER',
    "chaincode instantiate -n accounts -v 1 -C one -c {} ORDERER -P AND('Org1MSP.nobody')",
    'chaincode instantiate -n accounts -C one -c {"Args":["init"]} ORDERER',
    'chaincode upgrade -n accounts -v 1 -C one -c {"Args":["init"]} ORDERER',
    'chaincode upgrade -n accounts -v 2 -C one -c {"Args":["init"]} ORDERER',
    'chaincode query -n accounts -C one -c {"Args":["x"]} --peerAddresses 127.0.0.1:1',
    'chaincode invoke -n accounts -C one -c {"Args":["x"]} -o 127.0.0.1:1',
    'chaincode query -n a -C one -c {"Args":["x"]} --peerAddresses a:1 --peerAddresses b:1',
    "chaincode package -n accounts -v 1 -p GOEXAMPLE out.pak",
    "chaincode package -n accounts -v 1 -p GOEXAMPLE -s -S signed.pak",
    "chaincode signpackage signed.pak signed2.pak",
    "chaincode signpackage signed.pak",
    "chaincode install signed.pak -n other",
    "chaincode package -n accounts -v 1 -p GOEXAMPLE",
    "foo",
    "chaincode invoke --bogus",
    "chaincode invoke -Z",
    "chaincode invoke -n accounts -C one --waitForEventTimeout 5",
]


@pytest.mark.parametrize("line", ALIKE)
def test_a_line_has_the_same_effect_in_both_commands(
    line: str, network: RealNetwork, fabric_bin: Path
) -> None:
    orderer = f"-o {network.orderer_address}"
    words = line.replace("ORDERER", orderer).replace("GOEXAMPLE", str(built("go"))).split()
    real = typed(network.cli(fabric_bin / "peer"), network.folder, *words)
    ours = typed(network.cli(OURS), network.folder, *words)
    assert ours == real


def test_the_effects_of_our_commands_are_in_the_real_ledger(
    network: RealNetwork, fabric_bin: Path
) -> None:
    network.cli(OURS).invoke("accounts", "set", "ours", "1", channel=CHANNEL)
    real = network.cli(fabric_bin / "peer")
    assert "1" in real.query("accounts", "get", "ours", channel=CHANNEL)


def test_a_package_of_the_real_command_is_installed_by_ours(
    network: RealNetwork, fabric_bin: Path
) -> None:
    folder, source = network.folder, str(built("go"))
    real, ours = network.cli(fabric_bin / "peer"), network.cli(OURS)
    for version, packer in (("7", real), ("8", ours)):
        flags = ["-n", "accounts", "-v", version, "-p", source]
        packer.run("chaincode", "package", *flags, f"{version}.pak", cwd=folder)
        other = ours if packer is real else real
        # Without Docker the real peer stores the package and complains.
        other.run("chaincode", "install", f"{version}.pak", cwd=folder, succeeds=False)
        assert f"Version: {version}" in ours.run("chaincode", "list", "--installed").stdout


def test_an_update_signed_by_ours_is_an_envelope_for_the_real_command(
    network: RealNetwork, fabric_bin: Path
) -> None:
    file = network.creation_transaction("signed")
    unsigned = file.read_bytes()
    network.cli(OURS).run("channel", "signconfigtx", "-f", str(file))
    assert len(file.read_bytes()) > len(unsigned)
    real = network.cli(fabric_bin / "peer")
    flags = ["-c", "signed", "-f", str(file), *real.orderer_flags()]
    real.run("channel", "create", *flags, cwd=network.folder)
    assert (network.folder / "signed.block").exists()


def test_everything_works_with_mutual_tls(tmp_path: Path, fabric_bin: Path) -> None:
    network = RealNetwork(folder=tmp_path / "tls", binaries=fabric_bin, mutual_tls=True)
    try:
        network.start()
        ours = network.cli(OURS)
        creation = str(network.creation_transaction(CHANNEL))
        create = ["channel", "create", "-c", CHANNEL, "-f", creation, *ours.orderer_flags()]
        ours.run(*create, cwd=network.folder)
        ours.run("channel", "join", "-b", f"{CHANNEL}.block", cwd=network.folder)
        assert ours.run("channel", "list").stdout.splitlines()[1:] == [CHANNEL]
        ours.run("channel", "fetch", "oldest", "-c", CHANNEL, cwd=network.folder)
        without = {"CORE_PEER_TLS_CLIENTAUTHREQUIRED": "false"}
        refused = ours.run("channel", "list", extra=without, succeeds=False)
        assert "does it ask for a client certificate?" in refused.stderr
    finally:
        network.stop()
