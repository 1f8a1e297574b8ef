"""Production chaincode without a cluster: build it, run it as child processes, end it.

``PeerLauncher`` implements the Launcher that ``chaincode.launching`` consumes.
"""

from treadle_peer.chaincode.launch.bridging import BridgeStarter, RunningBridge
from treadle_peer.chaincode.launch.builders import Builder, BuildError, default_builders
from treadle_peer.chaincode.launch.launcher import PeerLauncher
from treadle_peer.chaincode.launch.launches import Exit, LaunchStatus, Phase
from treadle_peer.chaincode.launch.local import ProcessLauncher
from treadle_peer.chaincode.launch.settings import LaunchSettings

__all__ = [
    "BridgeStarter",
    "BuildError",
    "Builder",
    "Exit",
    "LaunchSettings",
    "LaunchStatus",
    "PeerLauncher",
    "Phase",
    "ProcessLauncher",
    "RunningBridge",
    "default_builders",
]
