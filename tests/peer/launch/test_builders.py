"""What each language's builder asks for, given a project."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from treadle_peer.chaincode.launch.builders import (
    Builder,
    BuildError,
    GoBuilder,
    JavaBuilder,
    Layout,
    NodeBuilder,
    PortablePythonBuilder,
    PythonBuilder,
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An unpacked package without files."""
    made = Layout(package=tmp_path / "package", output=tmp_path / "output")
    made.source.mkdir(parents=True)
    made.output.mkdir()
    return made


def put(layout: Layout, name: str, content: str = "") -> None:
    path = layout.source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


@pytest.mark.parametrize(
    ("files", "path", "folder", "mode", "target"),
    [
        (["go.mod"], "example.com/cc/cmd", ".", "-mod=readonly", "example.com/cc/cmd"),
        (["go.mod", "vendor/modules.txt"], "example.com/cc", ".", "-mod=vendor", "example.com/cc"),
        (["go.mod"], "", ".", "-mod=readonly", "."),
        (["go.mod"], "/home/me/cc", ".", "-mod=readonly", "."),
        (["example.com/cc/go.mod"], "example.com/cc", "example.com/cc", "-mod=readonly", "."),
        (
            ["example.com/cc/go.mod", "example.com/cc/vendor/modules.txt"],
            "example.com/cc",
            "example.com/cc",
            "-mod=vendor",
            ".",
        ),
    ],
)
def test_go_modules_are_built_where_fabric_builds_them(
    layout: Layout, files: list[str], path: str, folder: str, mode: str, target: str
) -> None:
    for name in files:
        put(layout, name)
    (step,) = GoBuilder().steps(layout, path)
    assert step.folder == layout.source / folder
    assert step.environment["GO111MODULE"] == "on"
    assert mode in step.arguments
    assert step.arguments[-1] == target


def test_go_without_module_is_built_in_gopath(layout: Layout) -> None:
    put(layout, "github.com/me/cc/main.go")
    (step,) = GoBuilder().steps(layout, "github.com/me/cc")
    assert step.environment["GO111MODULE"] == "off"
    assert step.environment["GOPATH"].split(":")[0] == str(layout.package)
    assert step.arguments[-1] == "github.com/me/cc"
    assert not [argument for argument in step.arguments if argument.startswith("-mod")]


@pytest.mark.parametrize("path", ["", "github.com/me/cc"])
def test_go_with_neither_says_what_to_do(layout: Layout, path: str) -> None:
    with pytest.raises(BuildError, match=r"neither a go\.mod nor the folder"):
        GoBuilder().steps(layout, path)


def test_go_library_has_nothing_to_start(layout: Layout) -> None:
    with pytest.raises(BuildError, match="is the package at that path named main"):
        GoBuilder().start(layout, "host:7052")


def test_go_start_line_is_fabrics(layout: Layout) -> None:
    (layout.output / "chaincode").touch()
    start = GoBuilder().start(layout, "host:7052")
    assert start.arguments == [str(layout.output / "chaincode"), "-peer.address=host:7052"]
    assert not start.listens


def test_node_installs_production_parts_and_starts_by_script(layout: Layout) -> None:
    put(layout, "package.json", '{"scripts": {"start": "node x.js"}}')
    (step,) = NodeBuilder().steps(layout, "x")
    assert list(step.arguments[:3]) == ["npm", "install", "--omit=dev"]
    start = NodeBuilder().start(layout, "host:7052")
    assert list(start.arguments[-4:]) == ["start", "--", "--peer.address", "host:7052"]


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (None, "no package.json found at the root"),
        ("{", "package.json cannot be read"),
        ("[]", 'no script "start"'),
        ("{}", 'no script "start"'),
        ('{"scripts": null}', 'no script "start"'),
    ],
)
def test_node_project_that_cannot_start_is_refused(
    layout: Layout, manifest: str | None, words: str
) -> None:
    if manifest is not None:
        put(layout, "package.json", manifest)
    with pytest.raises(BuildError, match=words):
        NodeBuilder().steps(layout, "x")


def test_java_uses_maven_and_starts_the_one_jar(layout: Layout) -> None:
    put(layout, "pom.xml")
    tools = [tool.command for tool in JavaBuilder().tools({"src/pom.xml", "src/build.gradle"})]
    assert tools == ["java", "mvn"]
    (step,) = JavaBuilder().steps(layout, "x")
    assert step.arguments[0] == "mvn"
    with pytest.raises(BuildError, match=r"made no target/chaincode\.jar.*finalName"):
        JavaBuilder().start(layout, "host:7052")
    put(layout, "target/chaincode.jar")
    start = JavaBuilder().start(layout, "host:7052")
    assert list(start.arguments[-2:]) == ["--peerAddress", "host:7052"]


def test_java_with_gradle_needs_gradle_installed() -> None:
    _, gradle = JavaBuilder().tools({"src/build.gradle"})
    assert gradle.command == "gradle"
    assert "add a pom.xml" in gradle.remedy


def test_java_without_build_file_is_refused() -> None:
    with pytest.raises(BuildError, match=r"neither a pom\.xml nor a build\.gradle"):
        JavaBuilder().tools({"src/src/main/java/A.java"})


def test_python_gets_a_venv_of_its_own_and_is_a_server(layout: Layout) -> None:
    put(layout, "requirements.txt")
    put(layout, "main.py")
    steps = PythonBuilder().steps(layout, "x")
    assert list(steps[0].arguments[:3]) == [sys.executable, "-m", "venv"]
    start = PythonBuilder().start(layout, "host:7052")
    assert start.arguments == [str(layout.output / "venv/bin/python"), "main.py"]
    assert start.listens


@pytest.mark.parametrize(
    ("files", "words"),
    [(["chaincode.py"], "no requirements.txt"), (["requirements.txt"], r"none of chaincode\.py")],
)
def test_python_project_without_its_parts_is_refused(
    layout: Layout, files: list[str], words: str
) -> None:
    for name in files:
        put(layout, name)
    with pytest.raises(BuildError, match=words):
        PythonBuilder().steps(layout, "x")


def test_node_modules_that_a_package_brings_are_only_linked(layout: Layout) -> None:
    put(layout, "package.json", '{"scripts": {"start": "node x.js"}}')
    put(layout, "node_modules/fabric-shim/package.json", "{}")
    (step,) = NodeBuilder().steps(layout, "x")
    assert list(step.arguments[:2]) == ["npm", "rebuild"]


def test_a_maven_repository_that_a_package_brings_is_the_only_one(layout: Layout) -> None:
    put(layout, "pom.xml")
    put(layout, "src/repository/org/x/1/x-1.jar")
    (step,) = JavaBuilder().steps(layout, "x")
    assert "--offline" in step.arguments
    assert f"-Dmaven.repo.local={layout.source / 'src' / 'repository'}" in step.arguments


def test_a_finished_jar_is_started_as_it_is(layout: Layout) -> None:
    put(layout, "src/chaincode.jar")
    assert [tool.command for tool in JavaBuilder().tools({"src/src/chaincode.jar"})] == ["java"]
    assert not JavaBuilder().steps(layout, "x")
    start = JavaBuilder().start(layout, "host:7052")
    assert start.arguments[2] == str(layout.source / "src" / "chaincode.jar")


@pytest.mark.parametrize(("builder", "which"), [(PythonBuilder(), 1), (PortablePythonBuilder(), 0)])
def test_wheels_that_a_package_brings_are_installed_without_an_index(
    layout: Layout, builder: Builder, which: int
) -> None:
    put(layout, "requirements.txt")
    put(layout, "chaincode.py")
    assert "--no-index" not in builder.steps(layout, "x")[which].arguments
    put(layout, "wheels/shim-1-py3-none-any.whl")
    install = builder.steps(layout, "x")[which].arguments
    assert "--no-index" in install
    assert str(layout.source / "wheels") in install
