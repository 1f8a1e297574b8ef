"""Production chaincode in containers of a Docker or Podman engine (design §4).

Beside the launcher for processes, with the images and scripts of pods (``chaincode.recipes``).
"""

from treadle_peer.chaincode.launch.containers.engine import EngineMissingError
from treadle_peer.chaincode.launch.containers.workshop import ContainerLauncher

__all__ = ["ContainerLauncher", "EngineMissingError"]
