"""What a client command takes from core.yaml and ``CORE_*`` (fabric-wire.md §3.9).

The server reads the same file more strictly; a client looks only at the dozen keys it needs, and
does without the file when there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from treadle_fabric.wire import parse_duration
from treadle_peer.config import LogSpec, parse_logging_spec

from treadle_cli.local.folders import DEFAULT_DATA
from treadle_cli.peer.errors import StartupError

_DEFAULT_ADDRESS = "127.0.0.1:7051"
_DEFAULT_CONNECT_SECONDS = 3.0
_SYSTEM_FOLDER = Path("/etc/hyperledger/fabric")
_TRUE = frozenset({"1", "t", "true"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Core settings: lower-case dotted keys; relative paths start at ``folder``."""

    values: Mapping[str, str]
    environment: Mapping[str, str]
    folder: Path

    def text(self, key: str, default: str = "") -> str:
        """The environment's value, else the file's, else *default*."""
        given = self.environment.get("CORE_" + key.upper().replace(".", "_"))
        return given or self.values.get(key.lower()) or default

    def flag(self, key: str) -> bool:
        """A boolean; whatever is not Go's true is false, as viper has it."""
        return self.text(key).lower() in _TRUE

    def path(self, key: str) -> Path | None:
        """An absolute path, or None when unset."""
        text = self.text(key)
        return self.folder / text if text else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Who the user is and which peer the user talks to; ``connect_seconds`` bounds a dial."""

    address: str
    msp_id: str
    msp_folder: Path | None
    tls: bool
    root_certificate: Path | None
    server_name: str
    client_auth: bool
    client_key: Path | None
    client_certificate: Path | None
    connect_seconds: float
    logging: LogSpec


def read_settings(environment: Mapping[str, str], working_folder: Path) -> Settings:
    """Find core.yaml as Fabric does and read it; raises StartupError for an unreadable one.

    Beside Fabric's places, the client folder of a development network that was started here is
    looked at, so that ``peer channel list`` works in the folder of ``peer node start``.
    """
    file = _find(environment, working_folder)
    if file is None:
        return Settings({}, environment, working_folder)
    try:
        loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StartupError(
            f"Fatal error when initializing core config : error when reading core config file: "
            f"{error}"
        ) from error
    return Settings(_flat(loaded, ""), environment, file.parent)


def client_settings(settings: Settings) -> ClientSettings:
    """The typed settings; raises StartupError for a wrong duration or logging specification."""
    spec = settings.environment.get("FABRIC_LOGGING_SPEC") or "info"
    try:
        timeout = settings.text("peer.client.connTimeout")
        seconds = parse_duration(timeout) if timeout else _DEFAULT_CONNECT_SECONDS
        logging = parse_logging_spec(spec)
    except ValueError as error:
        raise StartupError(str(error)) from error
    return ClientSettings(
        address=settings.text("peer.address", _DEFAULT_ADDRESS),
        msp_id=settings.text("peer.localMspId"),
        msp_folder=settings.path("peer.mspConfigPath") or _msp_beside(settings.folder),
        tls=settings.flag("peer.tls.enabled"),
        root_certificate=settings.path("peer.tls.rootcert.file"),
        server_name=settings.text("peer.tls.serverhostoverride"),
        client_auth=settings.flag("peer.tls.clientAuthRequired"),
        client_key=settings.path("peer.tls.clientKey.file"),
        client_certificate=settings.path("peer.tls.clientCert.file"),
        connect_seconds=seconds or _DEFAULT_CONNECT_SECONDS,
        logging=logging,
    )


def _msp_beside(folder: Path) -> Path | None:
    """The ``msp`` folder beside core.yaml: Fabric's sample and our client folders have it there."""
    beside = folder / "msp"
    return beside if beside.is_dir() else None


def _find(environment: Mapping[str, str], working_folder: Path) -> Path | None:
    given = environment.get("FABRIC_CFG_PATH")
    own = working_folder / DEFAULT_DATA / "client"
    folders = [working_folder / given] if given else [working_folder, own, _SYSTEM_FOLDER]
    for folder in folders:
        if (folder / "core.yaml").is_file():
            return (folder / "core.yaml").resolve()
    return None


def _flat(tree: object, prefix: str) -> dict[str, str]:
    if not isinstance(tree, dict):
        return {}
    flat: dict[str, str] = {}
    for name, value in tree.items():
        key = f"{prefix}{name}".lower()
        if isinstance(value, dict):
            flat |= _flat(value, f"{key}.")
        elif isinstance(value, bool):
            flat[key] = str(value).lower()
        elif isinstance(value, str | int | float):
            flat[key] = str(value)
    return flat
