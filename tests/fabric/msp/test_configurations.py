"""Configurations that make no MSP (fabric-wire.md 6.3)."""

from __future__ import annotations

import pytest
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig
from treadle_fabric.msp import MSP, MSPError, MSPVersion

NEWEST = MSPVersion.V1_4_3


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "expected at least one CA certificate"),
        ({"root_certs": [b"x"]}, "could not decode the PEM structure"),
        ({"revocation_list": [b"x"]}, "could not parse RevocationList"),
    ],
)
def test_configurations_that_make_no_msp(forge, values, text: str) -> None:
    roots = {"root_certs": [forge.authority().pem]} if "revocation_list" in values else {}
    fabric = FabricMSPConfig(name="Org1MSP", **(roots | values))
    with pytest.raises(MSPError) as caught:
        MSP(fabric, version=NEWEST)
    assert text in str(caught.value)


def test_roots_must_be_authorities_that_sign_themselves(forge) -> None:
    root = forge.authority()
    for made, text in (
        (
            forge.authority("middle", issuer=root),
            "failed to traverse certificate",
        ),
        (forge.certificate("user"), "failed to traverse certificate"),
        (forge.authority(key_identifier=False), "Subject Key Identifier"),
    ):
        with pytest.raises(MSPError, match=text):
            MSP.from_config(
                forge.config(made, fabric_node_ous=forge.units("admin")), version=NEWEST
            )


def test_tls_authorities_are_checked_too(forge) -> None:
    units = forge.units("admin")
    config = forge.config(
        forge.authority(), fabric_node_ous=units, tls_root_certs=[forge.certificate("user").pem]
    )
    with pytest.raises(MSPError, match="CA Certificate did not have the CA attribute"):
        MSP.from_config(config, version=NEWEST)
