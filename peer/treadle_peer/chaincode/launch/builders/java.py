"""Java: Maven, or Gradle where it is installed (fabric-wire.md §2.6).

A package may carry what Maven would fetch (``src/repository``), or the finished jar.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from treadle_peer.chaincode.launch.builders.plans import BuildError, Layout, Start, Step, Tool

_MAVEN_JAR: Final = "target/chaincode.jar"
_GRADLE_JAR: Final = "build/libs/chaincode.jar"
# Fabric's install accepts nothing but build files beside a project's folder src.
_GIVEN_JAR: Final = "src/chaincode.jar"
_REPOSITORY: Final = "src/repository"
_JAVA: Final = Tool(
    command="java",
    version=("-version",),
    remedy="install a JDK 11 or newer (for example default-jdk-headless)",
)


class JavaBuilder:
    """Makes the one jar that Fabric's image starts, ``chaincode.jar`` with everything in it."""

    @property
    def revision(self) -> str:
        """See Builder."""
        return "java-2"

    def tools(self, names: Collection[str]) -> Sequence[Tool]:
        """See Builder."""
        if "src/pom.xml" in names:
            remedy = "install Maven 3.6 or newer (https://maven.apache.org, or the package maven)"
            return [_JAVA, Tool(command="mvn", version=("--version",), remedy=remedy)]
        if "src/build.gradle" not in names:
            if f"src/{_GIVEN_JAR}" in names:
                return [_JAVA]
            raise BuildError(
                "the package has neither a pom.xml nor a build.gradle at its root, "
                f"and no finished {_GIVEN_JAR}"
            )
        remedy = "install Gradle, or add a pom.xml: Gradle wrappers cannot be part of a package"
        return [_JAVA, Tool(command="gradle", version=("--version",), remedy=remedy)]

    def steps(self, layout: Layout, path: str) -> Sequence[Step]:
        """See Builder."""
        if _jar(layout.source) == _GIVEN_JAR:
            return []
        if not _has_pom(layout.source):
            arguments = ["gradle", "--console=plain", "--no-daemon", "shadowJar", "-x", "test"]
            return [Step(arguments=arguments, folder=layout.source)]
        arguments = ["mvn", "-q", "-B", "-ntp", "package", "-DskipTests"]
        repository = layout.source / _REPOSITORY
        if repository.is_dir():
            arguments += ["--offline", f"-Dmaven.repo.local={repository}"]
        return [Step(arguments=arguments, folder=layout.source)]

    def start(self, layout: Layout, address: str) -> Start:
        """See Builder."""
        jar = layout.source / _jar(layout.source)
        if not jar.is_file():
            raise BuildError(
                f"the build made no {jar.parent.name}/{jar.name}; Fabric starts that one jar: set "
                "finalName to chaincode and pack the dependencies into it (maven-shade-plugin)"
            )
        arguments = ["java", "-jar", str(jar), "--peerAddress", address]
        return Start(arguments=arguments, folder=layout.source)


def _jar(source: Path) -> str:
    """The one that is started, seen from the project's folder."""
    if _has_pom(source):
        return _MAVEN_JAR
    return _GRADLE_JAR if (source / "build.gradle").is_file() else _GIVEN_JAR


def _has_pom(source: Path) -> bool:
    return (source / "pom.xml").is_file()
