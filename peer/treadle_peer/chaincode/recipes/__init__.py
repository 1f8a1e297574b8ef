"""Building and running a chaincode away from the peer: in pods, or in containers.

``recipe`` says for each language what is done where, by the builders of ``chaincode.launch``;
``scripts`` writes that as shell scripts for images that hold nothing of ours; ``carrying`` packs
what was built into the one file that the peer keeps. Pure but for the folders they are given.
"""

from treadle_peer.chaincode.recipes.carrying import CarryingError, pack, unpack
from treadle_peer.chaincode.recipes.recipe import SERVER_ADDRESS, Recipe, recipe_for
from treadle_peer.chaincode.recipes.scripts import (
    RUN_SCRIPT,
    Place,
    build_script,
    run_script,
    start_script,
    write_probe,
)

__all__ = [
    "RUN_SCRIPT",
    "SERVER_ADDRESS",
    "CarryingError",
    "Place",
    "Recipe",
    "build_script",
    "pack",
    "recipe_for",
    "run_script",
    "start_script",
    "unpack",
    "write_probe",
]
