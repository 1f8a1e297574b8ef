"""Finding the peer that a folder belongs to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

DEFAULT_DATA = "treadle-data"
_DEFAULT_OPERATIONS = "127.0.0.1:9443"


def operations_address(environment: Mapping[str, str], working_folder: Path) -> str:
    """Where to ask for the registry, ``host:port``.

    The environment's setting; else what the peer that runs on this folder's data wrote; else
    Fabric's default.
    """
    given = environment.get("CORE_OPERATIONS_LISTENADDRESS", "")
    if given:
        return given
    folder = Path(environment.get("CORE_PEER_FILESYSTEMPATH") or working_folder / DEFAULT_DATA)
    try:
        content = json.loads((folder / "run" / "addresses.json").read_text(encoding="utf-8"))
        return str(content["operations"])
    except (OSError, ValueError, KeyError, TypeError):
        return _DEFAULT_OPERATIONS
