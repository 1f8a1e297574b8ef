"""What is built, what of it is carried away, and how that is started: one recipe per language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treadle_peer.chaincode.launch.builders import (
    PACKAGES,
    Builder,
    BuildError,
    GoBuilder,
    JavaBuilder,
    Layout,
    NodeBuilder,
    PortablePythonBuilder,
    Start,
    Step,
)

SERVER_ADDRESS: Final = "127.0.0.1:9999"
"""Where a chaincode that is a server listens, for the bridge beside it."""

ADDRESS: Final = "$CORE_PEER_ADDRESS"
"""Stands for the peer's address in a start command; the run script replaces it."""

_GOPATH: Final = "/go"  # of the official golang images
_PROBE: Final = "probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One chaincode's way from its package to a process.

    ``probe`` is the source file of the program that tells whether the peer's port answers, in the
    chaincode's own language: the only one that its images are sure to run. Empty for none.
    ``probe_steps`` make it, ``probe_command`` runs it in the folder of the output.
    """

    language: str
    builder: Builder
    layout: Layout
    path: str
    probe: str
    probe_steps: Sequence[Step]
    probe_command: str
    carried: Callable[[Start], Mapping[str, Path]]
    variables: Mapping[str, str]

    def steps(self) -> Sequence[Step]:
        """What the builder image runs, in order; raises BuildError."""
        return [*self.builder.steps(self.layout, self.path), *self.probe_steps]

    def start(self) -> Start:
        """What was built, as it would be started in place; raises BuildError when it was not."""
        return self.builder.start(self.layout, ADDRESS)

    def files(self) -> Mapping[str, Path]:
        """What is carried away, by its name in the output; raises BuildError."""
        return self.carried(self.start())


def recipe_for(language: str, *, work: Path, path: str) -> Recipe:
    """The recipe for a package that is unpacked in ``<work>/source``; *path* is the package's.

    Raises BuildError for a language that nothing here builds.
    """
    layout = Layout(package=work / "source", output=work / "output")
    makers: Mapping[str, Callable[[Layout, str], Recipe]] = {
        "golang": _golang,
        "node": _node,
        "java": _java,
        "python": _python,
    }
    if language not in makers:
        raise BuildError(f"nothing builds the language {language!r}; known: {', '.join(makers)}")
    return makers[language](layout, path)


def probe_source(layout: Layout, recipe_probe: str) -> Path:
    """Where the source of a probe lies while it is built."""
    return layout.package.parent / _PROBE / recipe_probe


def _golang(layout: Layout, path: str) -> Recipe:
    program = layout.output / _PROBE
    source = "probe.go"
    make = Step(
        arguments=["go", "build", "-o", str(program), source],
        folder=probe_source(layout, source).parent,
        environment={"GO111MODULE": "off", "GOFLAGS": "-trimpath", "GOWORK": "off"},
    )
    return Recipe(
        language="golang",
        builder=GoBuilder(gopath=_GOPATH),
        layout=layout,
        path=path,
        probe=source,
        probe_steps=[make],
        probe_command=f"./{_PROBE}",
        carried=lambda start: {"chaincode": Path(start.arguments[0]), _PROBE: program},
        variables={},
    )


def _node(layout: Layout, path: str) -> Recipe:
    source = "probe.js"
    return Recipe(
        language="node",
        builder=NodeBuilder(),
        layout=layout,
        path=path,
        probe=source,
        probe_steps=[],
        probe_command=f"node {source}",
        carried=lambda _: {"source": layout.source, source: probe_source(layout, source)},
        # npm writes its caches and logs where nothing else may be written.
        variables={
            "npm_config_cache": "/tmp/npm",  # noqa: S108 - the pod's own
            "npm_config_logs_max": "0",
            "npm_config_update_notifier": "false",
        },
    )


def _java(layout: Layout, path: str) -> Recipe:
    source, made = "Probe.java", layout.output / "Probe.class"
    folder = probe_source(layout, source).parent
    make = Step(arguments=["javac", "-d", str(layout.output), source], folder=folder)
    return Recipe(
        language="java",
        builder=JavaBuilder(),
        layout=layout,
        path=path,
        probe=source,
        probe_steps=[make],
        probe_command="java -Xmx16m -XX:TieredStopAtLevel=1 -cp . Probe",
        carried=lambda start: {"chaincode.jar": Path(start.arguments[2]), made.name: made},
        variables={},
    )


def _python(layout: Layout, path: str) -> Recipe:
    packages = layout.output / PACKAGES
    return Recipe(
        language="python",
        builder=PortablePythonBuilder(),
        layout=layout,
        path=path,
        probe="",
        probe_steps=[],
        probe_command="",
        carried=lambda _: {"source": layout.source, PACKAGES: packages},
        variables={"PYTHONPATH": f"$output/{PACKAGES}"},
    )
