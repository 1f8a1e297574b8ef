"""One builder per language: which tools it needs, which commands build, which one starts."""

from __future__ import annotations

from collections.abc import Mapping

from treadle_peer.chaincode.launch.builders.golang import GoBuilder
from treadle_peer.chaincode.launch.builders.java import JavaBuilder
from treadle_peer.chaincode.launch.builders.node import NodeBuilder
from treadle_peer.chaincode.launch.builders.plans import (
    Builder,
    BuildError,
    Layout,
    Start,
    Step,
    Tool,
    builder_of,
)
from treadle_peer.chaincode.launch.builders.python import (
    PACKAGES,
    PortablePythonBuilder,
    PythonBuilder,
)

__all__ = [
    "PACKAGES",
    "BuildError",
    "Builder",
    "GoBuilder",
    "JavaBuilder",
    "Layout",
    "NodeBuilder",
    "PortablePythonBuilder",
    "PythonBuilder",
    "Start",
    "Step",
    "Tool",
    "builder_of",
    "default_builders",
]


def default_builders() -> Mapping[str, Builder]:
    """The builders by language name; ``car`` is Go in another wrapping and is not built."""
    return {
        "golang": GoBuilder(),
        "node": NodeBuilder(),
        "java": JavaBuilder(),
        "python": PythonBuilder(),
    }
