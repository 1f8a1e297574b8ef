"""Node: npm install, npm start (fabric-wire.md §2.6). A package may carry its node_modules."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from treadle_peer.chaincode.launch.builders.plans import BuildError, Layout, Start, Step, Tool


class NodeBuilder:
    """Installs the production dependencies next to the sources."""

    @property
    def revision(self) -> str:
        """See Builder."""
        return "node-2"

    def tools(self, names: Collection[str]) -> Sequence[Tool]:
        """See Builder."""
        remedy = "install Node.js 18 or newer with npm (https://nodejs.org, or nodejs and npm)"
        return [
            Tool(command="node", version=("--version",), remedy=remedy),
            Tool(command="npm", version=("--version",), remedy=remedy),
        ]

    def steps(self, layout: Layout, path: str) -> Sequence[Step]:
        """See Builder."""
        if "start" not in _scripts(layout):
            raise BuildError(
                'package.json has no script "start"; add "start": "fabric-chaincode-node start" '
                'or, for a low-level shim, "start": "node <file>.js"'
            )
        arguments = ["npm", "install", "--omit=dev", "--no-audit", "--no-fund"]
        if (layout.source / "node_modules").is_dir():
            # The package brings them. Packages hold no links and no execute bits: rebuild makes
            # both, without asking any registry.
            arguments = ["npm", "rebuild", "--no-audit", "--no-fund"]
        return [Step(arguments=arguments, folder=layout.source)]

    def start(self, layout: Layout, address: str) -> Start:
        """See Builder."""
        # --silent: npm's own banner and error report say nothing about the chaincode.
        arguments = ["npm", "--silent", "start", "--", "--peer.address", address]
        return Start(arguments=arguments, folder=layout.source)


def _scripts(layout: Layout) -> Collection[str]:
    try:
        manifest = json.loads((layout.source / "package.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BuildError("no package.json found at the root of the chaincode package") from None
    except (ValueError, RecursionError) as error:
        raise BuildError(f"package.json cannot be read: {error}") from error
    scripts = manifest.get("scripts") if isinstance(manifest, dict) else None
    return scripts if isinstance(scripts, dict) else ()
