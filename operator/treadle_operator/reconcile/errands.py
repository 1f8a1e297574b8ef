"""What may take longer than a reconcile: it goes on by itself, and whoever sent it is woken.

Only this process knows of an errand. What one has done is found where it did it, on a ledger; so
one that is lost with the process is sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Final

from treadle_operator.model import Key

_PATIENCE: Final = 5.0

Work = Callable[[], Coroutine[object, object, None]]


@dataclass(slots=True)
class _Errand:
    """``late``: its key went on without it, and is to be told of its end."""

    what: Hashable
    task: asyncio.Task[None]
    late: bool = False


@dataclass(slots=True)
class Errands:
    """At most one for each place of each key.

    ``patience``: seconds that are waited for one before its key goes on without it; ``ended`` is
    then called with the key when the errand has come to its end.
    """

    patience: float = _PATIENCE
    ended: Callable[[Key], object] = lambda key: None
    _sent: dict[tuple[Key, str], _Errand] = field(default_factory=dict)

    async def done(self, key: Key, place: str, *, what: Hashable, work: Work) -> bool:
        """Whether *what* is done, which *work* does; False while it is under way.

        Raises what the work has raised, once. Anything else under way at this place is ended.
        """
        sent = self._sent.get((key, place))
        if sent is None or sent.what != what:
            self.drop(key, place)
            sent = self._sent[key, place] = self._begin(key, what, work)
        finished, _ = await asyncio.wait([sent.task], timeout=self.patience)
        if not finished:
            sent.late = True
            return False
        wanted = self._sent.get((key, place)) is sent
        if wanted:
            del self._sent[key, place]
        if sent.task.cancelled():
            if wanted:
                # Not by us, but for example with a connection that was closed: it is sent again.
                self.ended(key)
            return False
        sent.task.result()
        return True

    def _begin(self, key: Key, what: Hashable, work: Work) -> _Errand:
        sent = _Errand(what, asyncio.create_task(work()))
        sent.task.add_done_callback(lambda _: self.ended(key) if sent.late else None)
        return sent

    def drop(self, key: Key, place: str) -> None:
        """Nobody wants it any more."""
        self._end([(key, place)])

    def stop(self, namespace: str) -> None:
        """Others may work there now."""
        self._end([known for known in self._sent if known[0].namespace == namespace])

    def forget(self, key: Key) -> None:
        """There is no *key* any more."""
        self._end([known for known in self._sent if known[0] == key])

    async def close(self, *, within: float) -> None:
        """Wait for what is under way, then end it."""
        tasks = [sent.task for sent in self._sent.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=within)
        self._end(list(self._sent))
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, places: list[tuple[Key, str]]) -> None:
        for known in places:
            sent = self._sent.pop(known, None)
            if sent is not None:
                sent.task.add_done_callback(_read)
                sent.task.cancel()


def _read(task: asyncio.Task[None]) -> None:
    """A failure that interests nobody any more is not to be logged as forgotten."""
    if not task.cancelled():
        task.exception()
