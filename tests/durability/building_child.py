"""Builds one chaincode in ``data`` of the folder that it is given, as a peer does, and ends.

Run under strace by ``test_builds.py``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from treadle_fabric.packages import build_legacy_package, parse_legacy_package
from treadle_peer.chaincode.launch.builders import Layout, Start, Step, Tool
from treadle_peer.chaincode.launch.builds import Builds
from treadle_peer.chaincode.launch.records import LaunchRecords
from treadle_peer.execution import InstalledPackage

LANGUAGE = "python"
# Absolute paths: of relative ones strace does not tell the folder.
_BUILD = """
import os, sys
deep = sys.argv[1] + "/deep/er"
os.makedirs(deep)
for name in ("1", "2", "3"):
    open(deep + "/" + name, "w").write(name * 100)
"""


class Writing:
    """Implements Builder: the build writes files in folders of the output."""

    revision = "1"

    def tools(self, names: Collection[str]) -> Sequence[Tool]:
        """See Builder."""
        return ()

    def steps(self, layout: Layout, path: str) -> Sequence[Step]:
        """See Builder."""
        arguments = [sys.executable, "-c", _BUILD, str(layout.output)]
        return [Step(arguments=arguments, folder=layout.output)]

    def start(self, layout: Layout, address: str) -> Start:
        """See Builder."""
        return Start(arguments=["/bin/sh"], folder=layout.output)


def package(source: Path) -> InstalledPackage:
    """What is in *source*, as if it were installed."""
    raw = build_legacy_package(
        name="built", version="1", language=LANGUAGE, path="x", source=source
    )
    parsed = parse_legacy_package(raw)
    return InstalledPackage(
        name=parsed.name,
        version=parsed.version,
        path=parsed.path,
        language=parsed.language,
        raw=parsed.raw,
        deployment_spec=parsed.deployment_spec,
        code=parsed.code,
        data=parsed.data,
        id=parsed.id,
        instantiation_policy=parsed.instantiation_policy,
    )


async def main(root: Path) -> None:
    """Build."""
    builds = Builds(
        folder=root / "data" / "launch" / "builds",
        builders={LANGUAGE: Writing()},
        records=LaunchRecords(root / "data" / "launch" / "running"),
        timeout=60,
        environment=dict(os.environ),
    )
    await builds.obtain(package(root / "project"))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
