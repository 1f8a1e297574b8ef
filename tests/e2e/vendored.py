"""The example chaincodes with everything that their builds need: no build asks a network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from harness.chaincodes import built, copy_sources


def vendored(language: str, folder: Path) -> Path:
    """A copy of the example in *folder*, as its developer would prepare it on a machine like this.

    Go: vendor/; Node: node_modules/; Python: wheels/; Java: the finished jar instead of a project.
    """
    target = copy_sources(language, folder / language)
    if language == "node":
        shutil.copytree(built("node") / "node_modules", target / "node_modules", symlinks=True)
    elif language == "java":
        shutil.copy(built("java") / "target" / "chaincode.jar", target / "src" / "chaincode.jar")
        (target / "pom.xml").unlink()  # a package with one is built
    else:
        wheels = [sys.executable, "-m", "pip", "wheel", "-q", "-r", "requirements.txt", "-w"]
        commands = {"go": ["go", "mod", "vendor"], "python": [*wheels, "wheels"]}
        done = subprocess.run(
            commands[language], cwd=target, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr
    return target
