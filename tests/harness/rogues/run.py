"""The process of some adversaries: do what the one argument (JSON: Orders each) says until SIGTERM.

It gives way to everybody (nice 19) and keeps to rates, so that on a small machine others are
slowed down by what the peer does for it, and not by what it does itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

from harness.rogues import calls, connections, operations, registrations, transactions
from harness.rogues.orders import Deeds, Orders

BEHAVIOURS = {
    **transactions.BEHAVIOURS,
    **registrations.BEHAVIOURS,
    **connections.BEHAVIOURS,
    **calls.BEHAVIOURS,
    **operations.BEHAVIOURS,
}


async def main(tasks: list[Orders]) -> None:
    """Misbehave until told to end, then report."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    deeds = [Deeds() for _ in tasks]
    work = [
        asyncio.ensure_future(BEHAVIOURS[orders.behaviour](orders, done))
        for orders, done in zip(tasks, deeds, strict=True)
    ]
    telling = asyncio.create_task(_tell(tasks, deeds))
    end = asyncio.create_task(ended.wait())
    await asyncio.wait({*work, end}, return_when=asyncio.FIRST_COMPLETED)
    for orders, one in zip(tasks, work, strict=True):
        if one.done():  # none may end by itself
            one.result()
            raise SystemExit(f"{orders.behaviour} had nothing left to do")
        one.cancel()
    telling.cancel()
    await asyncio.wait([*work, telling], timeout=1.0)
    print(f"REPORT [{', '.join(one.as_json() for one in deeds)}]", flush=True)
    os._exit(0)  # as a crash: nothing is closed in order


async def _tell(tasks: list[Orders], deeds: list[Deeds]) -> None:
    """Let all begin at once; say when all are at it, and when all with callers were answered."""
    await asyncio.gather(*(one.prepared.wait() for one in deeds))
    for one in deeds:
        one.go.set()
    await asyncio.gather(*map(_at_work, tasks, deeds))
    print("AT WORK", flush=True)
    called = [done for orders, done in zip(tasks, deeds, strict=True) if orders.callers]
    await asyncio.gather(*(done.answered.wait() for done in called))
    print("ANSWERED", flush=True)


async def _at_work(orders: Orders, done: Deeds) -> None:
    await done.at_work.wait()
    print(f"{orders.behaviour}: at work", flush=True)


if __name__ == "__main__":
    os.nice(19)
    asyncio.run(main([Orders(**one) for one in json.loads(sys.argv[1])]))
