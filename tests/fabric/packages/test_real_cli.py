"""Our packages hold the files that the real Fabric 2.5.9 command line packs."""

from __future__ import annotations

import pytest
from harness.fabric_cli import FabricCli
from treadle_fabric.packages import (
    build_legacy_package,
    build_v2_package,
    pack_source,
    parse_legacy_package,
    parse_v2_package,
)

LANGUAGE = {"go": "golang", "vendored": "golang", "node": "node", "java": "java"}

pytestmark = [pytest.mark.real_fabric, pytest.mark.toolchain("go")]


@pytest.fixture
def cli(fabric_bin, fabric_sampleconfig):
    """The command line alone; nothing here contacts a peer."""
    return FabricCli(
        binary=fabric_bin / "peer",
        config=fabric_sampleconfig,
        msp_id="SampleOrg",
        msp_folder=fabric_sampleconfig / "msp",
        peer_address="127.0.0.1:1",
        orderer_address="127.0.0.1:1",
        extra={"GOFLAGS": "-buildvcs=false", "GOPROXY": "off", "GO111MODULE": "on"},
    )


@pytest.mark.parametrize("name", LANGUAGE)
def test_a_lifecycle_package_has_the_same_files_and_path(
    cli, projects, project, listing, tmp_path, name
):
    source = project(projects[name])
    file = tmp_path / "package.tar.gz"
    flags = ["--path", str(source), "--lang", LANGUAGE[name], "--label", "asset_1"]
    cli.run("lifecycle", "chaincode", "package", str(file), *flags)
    theirs = parse_v2_package(file.read_bytes())
    ours = pack_source(language=LANGUAGE[name], source=source, path=str(source))
    assert listing(ours.code) == listing(theirs.code)
    assert ours.path == theirs.path


@pytest.mark.parametrize("name", LANGUAGE)
def test_a_legacy_package_has_the_same_files_and_path(
    cli, projects, project, listing, tmp_path, name
):
    source = project(projects[name])
    file = tmp_path / "package.cds"
    flags = ["-n", "asset", "-v", "1.0", "-p", str(source), "-l", LANGUAGE[name]]
    cli.run("chaincode", "package", str(file), *flags)
    theirs = parse_legacy_package(file.read_bytes())
    ours = parse_legacy_package(
        build_legacy_package(
            name="asset",
            version="1.0",
            language=LANGUAGE[name],
            path=str(source),
            source=source,
        )
    )
    assert listing(ours.code) == listing(theirs.code)
    assert (ours.name, ours.version, ours.path) == (theirs.name, theirs.version, theirs.path)
    assert ours.language == theirs.language


def test_a_signed_package_of_the_command_line_is_read(cli, projects, project, tmp_path):
    source = project(projects["node"])
    file = tmp_path / "package.cds"
    flags = ["-n", "asset", "-v", "1.0", "-p", str(source), "-l", "node", "-s", "-S"]
    cli.run("chaincode", "package", str(file), *flags, "-i", "OR('SampleOrg.admin')")
    package = parse_legacy_package(file.read_bytes())
    assert package.signed
    assert len(package.owner_endorsements) == 1
    assert b"SampleOrg" in package.instantiation_policy


def test_the_command_line_computes_our_package_id(cli, projects, project, tmp_path):
    packed = pack_source(language="golang", source=project(projects["go"]))
    raw = build_v2_package(label="asset_1", language="golang", path=packed.path, code=packed.code)
    file = tmp_path / "package.tar.gz"
    file.write_bytes(raw)
    printed = cli.run("lifecycle", "chaincode", "calculatepackageid", str(file)).stdout
    assert printed.strip() == parse_v2_package(raw).package_id
