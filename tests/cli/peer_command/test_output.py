"""What commands print about blocks, chaincodes and channels."""

from __future__ import annotations

from pathlib import Path

import pytest
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.configuration_pb2 import OrdererAddresses
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.peer.query_pb2 import ChaincodeInfo
from treadle_cli.peer.channels import info_json
from treadle_cli.peer.invoking import Form, printable
from treadle_cli.peer.listing import lines
from treadle_cli.peer.packing import locate
from treadle_cli.peer.targets import orderer_addresses


def test_chain_information_is_gos_json() -> None:
    info = BlockchainInfo(height=1, currentBlockHash=b"\x01\x02")
    assert info_json(info) == '{"height":1,"currentBlockHash":"AQI="}'
    assert info_json(BlockchainInfo()) == "{}"


@pytest.mark.parametrize(
    ("form", "expected"), [(Form.TEXT, b"1\xff"), (Form.RAW, b"[49 255]"), (Form.HEX, b"31ff")]
)
def test_a_query_result_has_three_forms(form: Form, expected: bytes) -> None:
    assert printable(b"1\xff", form) == expected


def test_chaincodes_are_listed_with_what_is_known() -> None:
    installed = ChaincodeInfo(name="cc", version="1", path="p", id=b"\xe4\x3b")
    instantiated = ChaincodeInfo(name="cc", version="1", path="p", escc="escc", vscc="vscc")
    assert lines([installed, instantiated]) == [
        "Name: cc, Version: 1, Path: p, Id: e43b",
        "Name: cc, Version: 1, Path: p, Escc: escc, Vscc: vscc",
    ]


def test_orderer_addresses_come_from_the_channel_or_its_orderer_organisations() -> None:
    config = Config()
    assert orderer_addresses(config) == []
    group = config.channel_group.groups["Orderer"].groups["OrdererOrg"]
    own = OrdererAddresses(addresses=["b:1"]).SerializeToString()
    group.values["Endpoints"].value = own
    assert orderer_addresses(config) == ["b:1"]
    shared = OrdererAddresses(addresses=["a:1"]).SerializeToString()
    config.channel_group.values["OrdererAddresses"].value = shared
    assert orderer_addresses(config) == ["a:1"]


def test_go_import_paths_are_looked_up_below_gopath(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "src" / "example.org" / "cc"
    source.mkdir(parents=True)
    monkeypatch.setenv("GOPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert locate("example.org/cc", "golang") == (source, "example.org/cc")
    assert locate(str(source), "golang") == (source, "example.org/cc")
    assert locate("example.org/cc", "node") == (tmp_path / "example.org" / "cc", "example.org/cc")


def test_a_go_module_anywhere_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPATH", str(tmp_path / "go"))
    folder = tmp_path / "module"
    folder.mkdir()
    assert locate(str(folder), "golang") == (folder, "")
