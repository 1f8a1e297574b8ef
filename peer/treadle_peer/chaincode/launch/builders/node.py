"""Node: npm install, npm start (fabric-wire.md §2.6)."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from treadle_peer.chaincode.launch.builders.plans import BuildError, Layout, Start, Step, Tool


class NodeBuilder:
    """Installs the production dependencies next to the sources."""

    @property
    def revision(self) -> str:
        """See Builder."""
        return "node-1"

    def tools(self, names: Collection[str]) -> Sequence[Tool]:
        """See Builder."""
        remedy = "install Node.js 18 or newer with npm (https://nodejs.org, or nodejs and npm)"
        return [
            Tool(command="node", version=("--version",), remedy=remedy),
            Tool(command="npm", version=("--version",), remedy=remedy),
        ]

    def steps(self, layout: Layout, path: str) -> Sequence[Step]:
        """See Builder."""
        manifest = layout.source / "package.json"
        try:
            scripts = json.loads(manifest.read_text(encoding="utf-8")).get("scripts", {})
        except FileNotFoundError:
            raise BuildError("no package.json found at the root of the chaincode package") from None
        except (ValueError, AttributeError) as error:
            raise BuildError(f"package.json cannot be read: {error}") from error
        if "start" not in scripts:
            raise BuildError(
                'package.json has no script "start"; add "start": "fabric-chaincode-node start" '
                'or, for a low-level shim, "start": "node <file>.js"'
            )
        arguments = ["npm", "install", "--omit=dev", "--no-audit", "--no-fund"]
        return [Step(arguments=arguments, folder=layout.source)]

    def start(self, layout: Layout, address: str) -> Start:
        """See Builder."""
        # --silent: npm's own banner and error report say nothing about the chaincode.
        arguments = ["npm", "--silent", "start", "--", "--peer.address", address]
        return Start(arguments=arguments, folder=layout.source)
