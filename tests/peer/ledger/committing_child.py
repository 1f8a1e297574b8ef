"""A process that commits until it dies; run by the crash tests, not a test itself.

``committing_child.py <folder> <seed> [<file size limit>]`` opens or creates the ledger of channel
``ch`` and commits random blocks. It prints the height after each commit: its acknowledgement.
"""

from __future__ import annotations

import importlib.util
import random
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from treadle_peer.ledger import Ledger, LedgerError
from treadle_peer.storage import StorageError


def load_helpers() -> Any:
    """The test helpers of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location("helpers", Path(__file__).parent / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def random_block(chain: Any, rng: random.Random) -> None:
    """One to eight transactions on few keys, so that there are conflicts of all kinds."""
    results = []
    for _ in range(rng.randint(1, 8)):

        def work(simulator: Any) -> None:
            for _ in range(rng.randint(1, 4)):
                key = f"k{rng.randint(0, 40)}"
                match rng.randint(0, 4):
                    case 0:
                        simulator.get_state("ns", key)
                    case 1:
                        simulator.delete_state("ns", key)
                    case 2:
                        simulator.set_state_metadata("ns", key, {"m": rng.randbytes(4)})
                    case 3:
                        list(simulator.range("ns", key, f"{key}9"))
                    case _:
                        value = rng.randbytes(rng.choice((1, 100, 20_000)))
                        simulator.set_state("ns", key, value)

        results.append(chain.simulate(work))
    chain.commit_results(*results)


def main() -> None:
    folder, seed, *limit = sys.argv[1:]
    helpers = load_helpers()
    path = Path(folder)
    ledger = Ledger.open(path, "ch") if path.exists() else Ledger.create(path, helpers.genesis())
    chain, rng = helpers.Chain(ledger), random.Random(int(seed))
    if limit:
        # A full disk, as far as the process can tell.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit[0]), int(limit[0])))
    print(ledger.height, flush=True)
    try:
        while True:
            random_block(chain, rng)
            print(ledger.height, flush=True)
    except StorageError as error:
        print("refused", error, flush=True)
    try:
        chain.commit_results(b"")
    except LedgerError as error:
        print("then", error, flush=True)
    print(ledger.height, flush=True)


if __name__ == "__main__":
    main()
