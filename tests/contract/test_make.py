"""What a developer types works with what a developer has."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_GO = ("make", "bash", "sh", "env", "dirname")


@pytest.mark.parametrize(("ci", "succeeds"), [("", True), ("true", False)])
@pytest.mark.parametrize(
    ("target", "folder"),
    [("fabric", "TREADLE_FABRIC_BIN"), ("kubernetes-binaries", "TREADLE_KUBERNETES_BIN")],
)
def test_only_ci_insists_on_real_parts(
    tmp_path: Path, target: str, folder: str, ci: str, succeeds: bool
) -> None:
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in WITHOUT_GO:
        found = shutil.which(name)
        assert found is not None
        (commands / name).symlink_to(found)
    done = subprocess.run(
        ["make", target],
        cwd=ROOT,
        env={"PATH": str(commands), folder: str(tmp_path / "none"), "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "go is not installed" in done.stderr
    assert (done.returncode == 0) is succeeds
    assert ("are skipped" in done.stderr) is succeeds
