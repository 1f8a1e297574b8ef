"""Build scripts for containers: another path than here, and the settings of this launcher."""

from __future__ import annotations

import subprocess
from pathlib import Path

from treadle_peer.chaincode.recipes import build_script, recipe_for


def python_script(here: Path, there: Path) -> str:
    """For a package that was unpacked in *here*, which a container sees as *there*."""
    source = here / "source" / "src"
    source.mkdir(parents=True)
    (source / "requirements.txt").touch()
    (source / "chaincode.py").touch()
    return build_script(
        recipe_for("python", work=here, path=""),
        names=["src/requirements.txt", "src/chaincode.py"],
        work=there,
        authority=there / "authority.crt",
        termination=Path("/dev/null"),
        setting="treadle.chaincode.docker.builders.python",
    )


def test_no_path_of_this_machine_is_left_whatever_it_is_made_of(tmp_path: Path) -> None:
    script = python_script(tmp_path / "somebody's peer", Path("/treadle/work"))
    assert "somebody" not in script
    assert "--target /treadle/work/output/packages" in script


def test_an_image_without_the_toolchain_is_named_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mkdir").symlink_to("/bin/mkdir")
    file = tmp_path / "build.sh"
    file.write_text(python_script(tmp_path / "here", tmp_path / "there"))
    done = subprocess.run(
        ["/bin/sh", str(file)],
        env={"PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    told = "name one that has it in treadle.chaincode.docker.builders.python"
    assert f"the builder image has no python3; {told}" in done.stderr
