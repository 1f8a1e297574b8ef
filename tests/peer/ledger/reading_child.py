"""A process that reads a whole ledger in one range; run by the memory test, not a test itself.

Prints results, bytes, growth of RssAnon in bytes, and the level of the hash tree.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from treadle_peer.ledger import Ledger


def anonymous_memory() -> int:
    """RssAnon of this process in bytes."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


def main() -> None:
    ledger = Ledger.open(Path(sys.argv[1]), "ch")
    with ledger.simulator("tx") as simulator:
        simulator.get_state("ns", "none")
        before = peak = anonymous_memory()
        count = size = 0
        for result in simulator.range("ns", "", ""):
            count += 1
            size += len(result.value)
            if count % 500 == 0:
                peak = max(peak, anonymous_memory())
        results = simulator.results()
        peak = max(peak, anonymous_memory())
    ledger.close()
    reads = KVRWSet.FromString(TxReadWriteSet.FromString(results).ns_rwset[0].rwset)
    level = reads.range_queries_info[0].reads_merkle_hashes.max_level
    print(count, size, peak - before, level)


if __name__ == "__main__":
    main()
