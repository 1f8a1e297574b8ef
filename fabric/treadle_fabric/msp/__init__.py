"""Membership: MSPs, their identities, and the principals these satisfy (fabric-wire.md 6)."""

from treadle_fabric.msp.errors import MSPError
from treadle_fabric.msp.folders import load_msp_config
from treadle_fabric.msp.identities import Identity
from treadle_fabric.msp.local import LocalMSP, load_local_msp
from treadle_fabric.msp.manager import MSPManager
from treadle_fabric.msp.membership import MSP
from treadle_fabric.msp.units import MSPVersion

__all__ = [
    "MSP",
    "Identity",
    "LocalMSP",
    "MSPError",
    "MSPManager",
    "MSPVersion",
    "load_local_msp",
    "load_msp_config",
]
