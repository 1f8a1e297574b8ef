"""Reading MSP folders as Fabric does (fabric-wire.md 6.3).

Files that are not PEM are skipped with a warning; what an MSP cannot be without is named together
with its folder.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml
from fabric_protos.msp.msp_config_pb2 import (
    FabricCryptoConfig,
    FabricMSPConfig,
    FabricNodeOUs,
    FabricOUIdentifier,
    MSPConfig,
)

from treadle_fabric.identity.certificates import decode_pem
from treadle_fabric.msp.errors import MSPError

_log: Final = logging.getLogger(__name__)


def load_msp_config(folder: Path, *, msp_id: str) -> MSPConfig:
    """The verifying MSP of a folder, for channel configurations; raises MSPError."""
    if not folder.is_dir():
        raise MSPError(f'cannot init crypto, folder "{folder}" does not exist')
    authorities = pem_files(folder / "cacerts")
    if not authorities:
        raise MSPError(f"could not load a valid ca certificate from directory {folder / 'cacerts'}")
    tls_authorities = pem_files(folder / "tlscacerts")
    configuration = _configuration(folder / "config.yaml")
    fabric = FabricMSPConfig(
        name=msp_id,
        root_certs=authorities.values(),
        intermediate_certs=pem_files(folder / "intermediatecerts").values(),
        admins=pem_files(folder / "admincerts").values(),
        revocation_list=pem_files(folder / "crls").values(),
        tls_root_certs=tls_authorities.values(),
        organizational_unit_identifiers=_accepted_units(folder, configuration),
        crypto_config=FabricCryptoConfig(
            signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
        ),
        fabric_node_ous=_node_units(folder, configuration),
    )
    if tls_authorities:
        intermediates = pem_files(folder / "tlsintermediatecerts")
        fabric.tls_intermediate_certs.extend(intermediates.values())
    return MSPConfig(type=0, config=fabric.SerializeToString(deterministic=True))


def pem_files(folder: Path) -> dict[str, bytes]:
    """Contents of the PEM files in a folder by name, in order of name; a missing one is empty."""
    if not folder.is_dir():
        return {}
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            continue
        try:
            content = path.read_bytes()
        except OSError as error:
            _log.warning("Failed reading file %s: %s", path, error)
            continue
        if decode_pem(content) is None:
            _log.warning("Failed reading file %s: no pem content for file", path)
            continue
        found[path.name] = content
    return found


def _configuration(path: Path) -> Mapping[str, object]:
    if not path.exists():
        return {}
    try:
        content = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError) as error:
        raise MSPError(f"failed unmarshalling configuration file at [{path}]: {error}") from None
    return _section(content, f"configuration file at [{path}]")


def _section(value: object, where: str) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MSPError(f"failed unmarshalling {where}: expected a mapping")
    return value


def _accepted_units(folder: Path, configuration: Mapping[str, object]) -> list[FabricOUIdentifier]:
    entries = configuration.get("OrganizationalUnitIdentifiers") or []
    if not isinstance(entries, list):
        raise MSPError(f"failed unmarshalling {folder}/config.yaml: OUs are not a list")
    units = []
    for each in entries:
        entry = _section(each, f"OrganizationalUnitIdentifiers in {folder}/config.yaml")
        path = folder / str(entry.get("Certificate") or "")
        try:
            certificate = path.read_bytes()
        except OSError as error:
            raise MSPError(
                f"failed loading OrganizationalUnit certificate at [{path}]: {error}"
            ) from None
        units.append(_unit(entry, certificate))
    return units


def _node_units(folder: Path, configuration: Mapping[str, object]) -> FabricNodeOUs | None:
    section = _section(configuration.get("NodeOUs"), f"NodeOUs in {folder}/config.yaml")
    if section.get("Enable") is not True:
        return None
    units = {
        role: _node_unit(folder, section.get(f"{role}OUIdentifier"), role)
        for role in ("Client", "Peer", "Admin", "Orderer")
    }
    return FabricNodeOUs(
        enable=True,
        client_ou_identifier=units["Client"],
        peer_ou_identifier=units["Peer"],
        admin_ou_identifier=units["Admin"],
        orderer_ou_identifier=units["Orderer"],
    )


def _node_unit(folder: Path, value: object, role: str) -> FabricOUIdentifier | None:
    entry = _section(value, f"{role}OUIdentifier in {folder}/config.yaml")
    if not entry.get("OrganizationalUnitIdentifier"):
        return None
    if not entry.get("Certificate"):
        return _unit(entry, b"")
    path = folder / str(entry["Certificate"])
    try:
        return _unit(entry, path.read_bytes())
    except OSError as error:
        _log.warning("Failed loading %sOU certificate at [%s]: [%s]", role, path, error)
        return _unit(entry, b"")


def _unit(entry: Mapping[str, object], certificate: bytes) -> FabricOUIdentifier:
    name = str(entry.get("OrganizationalUnitIdentifier") or "")
    return FabricOUIdentifier(certificate=certificate, organizational_unit_identifier=name)
