"""Channels made as an administrator of Fabric makes them: configtxgen, create, join."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from harness.fabric_cli import FabricCli

_PROFILE = """
Profiles:
  One:
    Consortium: SampleConsortium
    Policies: &policies
      Readers: {Type: ImplicitMeta, Rule: "ANY Readers"}
      Writers: {Type: ImplicitMeta, Rule: "ANY Writers"}
      Admins: {Type: ImplicitMeta, Rule: "MAJORITY Admins"}
    Application:
      Organizations:
        - Name: Org1MSP
          ID: Org1MSP
          MSPDir: MSPDIR
          Policies:
            Readers: {Type: Signature, Rule: "OR('Org1MSP.member')"}
            Writers: {Type: Signature, Rule: "OR('Org1MSP.member')"}
            Admins: {Type: Signature, Rule: "OR('Org1MSP.admin')"}
      Capabilities: {V1_4_2: true}
      Policies: *policies
"""


def create_channel(cli: FabricCli, name: str, *, tools: Path, folder: Path) -> None:
    """Create channel *name* and join it; *tools* holds configtxgen, *folder* takes the files."""
    (folder / "configtx.yaml").write_text(_PROFILE.replace("MSPDIR", str(cli.msp_folder)))
    flags = ["-profile", "One", "-channelID", name, "-outputCreateChannelTx", f"{name}.tx"]
    subprocess.run(
        [str(tools / "configtxgen"), *flags],
        env={"FABRIC_CFG_PATH": str(folder), "PATH": os.environ["PATH"]},
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=60,
    )
    orderer = cli.orderer_flags()
    cli.run("channel", "create", "-c", name, "-f", f"{name}.tx", *orderer, cwd=folder)
    cli.run("channel", "join", "-b", f"{name}.block", cwd=folder)
