"""Our own builder and runtime images, made by tools/images.sh, in an engine of a test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from harness.chaincodes import ROOT
from harness.engine import ContainerEngine

SECONDS = 1800


def image_name(name: str) -> str:
    """As settings and manifests call it."""
    return f"treadle/{name}:{version('treadle')}"


def load_images(engine: ContainerEngine, names: list[str], *, folder: Path) -> None:
    """Make what is missing of the images *names* (``builder-golang``) and load them all.

    ``TREADLE_IMAGES`` may name a folder with the finished archives.
    """
    given = os.environ.get("TREADLE_IMAGES")
    archives = Path(given) if given else _made(names)
    for name in names:
        archive = archives / f"{name}.tar"
        _load(engine, name, archive, folder)
        assert engine.has_image(image_name(name)), f"{archive} does not hold {image_name(name)}"


def _made(names: list[str]) -> Path:
    script = [str(ROOT / "tools" / "images.sh"), *names]
    done = subprocess.run(script, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, f"tools/images.sh: {done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return Path(done.stdout.splitlines()[-1])


def _load(engine: ContainerEngine, name: str, archive: Path, folder: Path) -> None:
    """Older engines read their own format alone, not that of the OCI."""
    if engine.ask("load", "--input", str(archive), succeeds=False).returncode == 0:
        return
    converted = folder / f"{name}.tar"
    target = f"docker-archive:{converted}:{image_name(name)}"
    command = ["skopeo", "copy", "--insecure-policy", f"oci-archive:{archive}", target]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    engine.ask("load", "--input", str(converted))
    converted.unlink()


def remove_folder(folder: Path) -> None:
    """What an engine leaves is large."""
    shutil.rmtree(folder, ignore_errors=True)
