"""Ports of a peer's pod. Pure."""

from __future__ import annotations

from typing import Final

PEER: Final = 7051
ORDERING: Final = 7050
CHAINCODE: Final = 7052
LAUNCHED: Final = 7053
RUNTIME: Final = 7055
OPERATIONS: Final = 9443
