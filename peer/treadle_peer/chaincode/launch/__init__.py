"""Production chaincode without a cluster: build it, run it as child processes, end it.

``ProcessLauncher`` implements the Launcher that ``chaincode.launching`` consumes.
"""

from treadle_peer.chaincode.launch.bridging import BridgeStarter, RunningBridge
from treadle_peer.chaincode.launch.builders import Builder, BuildError, default_builders
from treadle_peer.chaincode.launch.launcher import ProcessLauncher
from treadle_peer.chaincode.launch.launches import Exit, LaunchStatus, Phase
from treadle_peer.chaincode.launch.settings import LaunchSettings

__all__ = [
    "BridgeStarter",
    "BuildError",
    "Builder",
    "Exit",
    "LaunchSettings",
    "LaunchStatus",
    "Phase",
    "ProcessLauncher",
    "RunningBridge",
    "default_builders",
]
