"""The recipes of images keep what pods with restricted rights, and other processors, need."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "images").glob("*.Containerfile"))
SCRIPTS = sorted((ROOT / "peer/treadle_peer/chaincode/recipes/files").glob("*.sh"))


def test_every_image_of_the_chart_has_a_recipe_and_no_other() -> None:
    images = yaml.safe_load((ROOT / "charts" / "treadle" / "values.yaml").read_text())["images"]
    wanted = {images["peer"], images["operator"]}
    wanted |= {*images["builders"].values(), *images["runtimes"].values()}
    assert {file.name.removesuffix(".Containerfile") for file in RECIPES} == wanted


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda file: file.name)
def test_an_image_runs_as_nobody_and_begins_with_any_base(recipe: Path) -> None:
    text = recipe.read_text()
    assert text.rstrip().endswith("\nUSER 10001:10001")
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert set(bases) == {"${BASE}"}
    assert not re.search(r"amd64|x86|arm64|aarch", text), "the same for every processor"
    assert not re.search(r"^ENTRYPOINT", text, re.MULTILINE), "manifests give whole commands"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
@pytest.mark.parametrize("shell", [["dash", "-n"], ["busybox", "sh", "-n"]], ids=" ".join)
def test_the_scripts_of_pods_are_plain_shell(script: Path, shell: list[str]) -> None:
    done = subprocess.run([*shell, str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
