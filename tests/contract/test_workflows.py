"""What the workflows call is there; nobody here can run them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yaml"))
TRIGGER = True  # what YAML 1.1 makes of the key "on"


def loaded(file: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(file.read_text())
    return found


def steps(file: Path) -> Iterator[dict[str, Any]]:
    for job in loaded(file)["jobs"].values():
        yield from job.get("steps", [])


def scripts(file: Path) -> list[str]:
    """Every ``run``, with the expressions of the workflow language taken out."""
    return [re.sub(r"\$\{\{.*?\}\}", "x", step["run"]) for step in steps(file) if "run" in step]


def make_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z0-9-]+):", text, re.MULTILINE))


def test_there_are_three() -> None:
    assert [file.name for file in FILES] == ["ci.yaml", "e2e-kind.yaml", "release.yaml"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_says_when_it_runs_where_and_for_how_long(file: Path) -> None:
    workflow = loaded(file)
    assert workflow["name"] == file.stem
    assert workflow[TRIGGER]
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        called = ROOT / job["uses"] if "uses" in job else None
        assert called is None or called.exists()
        assert called or (job["runs-on"] and job["timeout-minutes"] <= 150)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_shell_understands_every_step(file: Path) -> None:
    for script in scripts(file):
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_everything_that_is_called_is_there(file: Path) -> None:
    text = "\n".join(scripts(file))
    targets = re.findall(r"^\s*make ([a-z0-9-]+)", text, re.MULTILINE)
    assert set(targets) <= make_targets()
    programs = re.findall(r"(?:^|[\s(])((?:\.ci|tools)/[\w.-]+)", text)
    for program in programs:
        assert (ROOT / program).stat().st_mode & 0o100, f"{program} cannot be run"
    assert targets or programs


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_actions_have_versions_and_secrets_are_not_in_command_lines(file: Path) -> None:
    for step in steps(file):
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/x@v1"))
        # Expressions are put into scripts as text: whoever chooses a branch's name would write one.
        assert "${{" not in step.get("run", "")


def test_the_release_is_of_one_version_and_needs_everything_that_ci_runs() -> None:
    jobs = loaded(FOLDER / "release.yaml")["jobs"]
    assert loaded(FOLDER / "release.yaml")[TRIGGER] == {"push": {"tags": ["v*"]}}
    assert jobs["release"]["needs"] == "ci"
    assert jobs["ci"]["uses"] == "./.github/workflows/ci.yaml"
    assert ".ci/run" in "\n".join(scripts(FOLDER / "ci.yaml"))


def test_what_the_release_looks_for_is_in_the_files(tmp_path: Path) -> None:
    """The steps that check and rewrite files run here as they are."""
    done = {step["name"]: step["run"] for step in steps(FOLDER / "release.yaml") if "name" in step}
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    chart = tmp_path / "charts" / "treadle"
    chart.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for name in ("Chart.yaml", "values.yaml"):
        (chart / name).write_bytes((ROOT / "charts" / "treadle" / name).read_bytes())
    rewriting = "\n".join(line for line in done["Chart"].splitlines() if not _of_helm(line))
    for tag, code in ((f"v{version[1]}", 0), ("v99.0.0", 1)):
        environment = {
            "PATH": "/usr/bin:/bin",
            "GITHUB_REF_NAME": tag,
            "GITHUB_ENV": str(tmp_path / "env"),
            "REGISTRY": "registry.example.com/treadle",
        }
        script = f"set -e\n{done['One version everywhere']}\n{rewriting}"
        found = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment)
        assert found.returncode == code
    values = yaml.safe_load((chart / "values.yaml").read_text())
    assert values["images"]["registry"] == "registry.example.com/treadle"


def _of_helm(line: str) -> bool:
    return line.strip().startswith("helm ")
