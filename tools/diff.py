"""Hold every conversation with a real Fabric peer and with ours, and compare (``make diff``).

``--only TEXT`` takes the conversations whose key contains it, ``--record`` keeps what the real
peer says as golden data, ``--show KEY`` prints every field that both say.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

# Needs the path above, which mypy does not know.
from harness.differential.reporting import Options, run  # type: ignore[import-not-found]  # noqa: E402


def main() -> int:
    """0: no unexplained difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="conversations whose key contains this")
    parser.add_argument("--record", action="store_true", help="keep the real peer's answers")
    parser.add_argument("--show", default="", help="print all fields of this conversation")
    given = parser.parse_args()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    default = Path(cache) / "treadle" / "fabric-2.5.9" / "bin"
    binaries = Path(os.environ.get("TREADLE_FABRIC_BIN") or default)
    if not (binaries / "peer").exists():
        print(f"no real Fabric in {binaries}: run tools/fabric-binaries.sh", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="treadle-diff-") as folder:
        options = Options(
            only=given.only,
            record=given.record,
            show=given.show,
            binaries=binaries,
            folder=Path(folder),
        )
        code: int = run(options)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
