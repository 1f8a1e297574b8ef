"""What takes long goes on by itself, once, and its end is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field

import pytest
from treadle_operator.model import Key, Kind
from treadle_operator.reconcile.errands import Errands

KEY = Key(Kind.INSTANTIATION, "trade", "asset")


@dataclass
class Init:
    """Work that ends when the test lets it; counts how often it was begun."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    begun: int = 0
    ended: list[str] = field(default_factory=list)
    failure: BaseException | None = None

    def __call__(self) -> Coroutine[object, object, None]:
        return self._run()

    async def _run(self) -> None:
        self.begun += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        if self.failure is not None:
            raise self.failure
        self.ended.append("done")


@pytest.fixture
async def woken() -> list[Key]:
    return []


@pytest.fixture
async def errands(woken: list[Key]) -> AsyncIterator[Errands]:
    made = Errands(patience=0.01, ended=woken.append)
    yield made
    await made.close(within=0)


async def is_told(woken: list[Key]) -> None:
    """The loop runs what is ready: the end of the work, then what hears of it."""
    for _ in range(5):
        await asyncio.sleep(0)
    assert woken


async def test_what_is_quick_is_done_at_once_and_wakes_nobody(woken: list[Key]) -> None:
    errands, init = Errands(patience=10, ended=woken.append), Init()
    init.go.set()
    assert await errands.done(KEY, "peer0", what=1, work=init)
    assert (init.begun, woken) == (1, [])


async def test_what_is_slow_goes_on_once_and_its_end_is_told(
    errands: Errands, woken: list[Key]
) -> None:
    init = Init()
    for _ in range(3):
        assert not await errands.done(KEY, "peer0", what=1, work=init)
    assert init.begun == 1
    init.go.set()
    await is_told(woken)
    assert woken == [KEY]
    assert await errands.done(KEY, "peer0", what=1, work=init)
    assert (init.begun, init.ended) == (1, ["done"])


async def test_a_late_failure_is_raised_once_and_the_next_try_is_a_new_one(
    errands: Errands, woken: list[Key]
) -> None:
    init = Init(failure=OSError("refused"))
    assert not await errands.done(KEY, "peer0", what=1, work=init)
    init.go.set()
    await is_told(woken)
    with pytest.raises(OSError, match="refused"):
        await errands.done(KEY, "peer0", what=1, work=init)
    init.failure = None
    assert await errands.done(KEY, "peer0", what=1, work=init)
    assert init.begun == 2


@pytest.mark.parametrize("late", [False, True])
async def test_what_others_have_cancelled_is_told_and_sent_again(
    late: bool, errands: Errands, woken: list[Key]
) -> None:
    cancelled, init = Init(failure=asyncio.CancelledError()), Init()
    if late:
        assert not await errands.done(KEY, "peer0", what=1, work=cancelled)
    cancelled.go.set()
    init.go.set()
    for _ in range(5 * late):
        await asyncio.sleep(0)
    woken.clear()
    assert not await errands.done(KEY, "peer0", what=1, work=cancelled)
    assert woken == [KEY]
    assert await errands.done(KEY, "peer0", what=1, work=init)
    assert (cancelled.begun, init.begun) == (1, 1)


async def test_something_else_at_the_same_place_takes_its_place(errands: Errands) -> None:
    first, second, beside = Init(), Init(), Init()
    assert not await errands.done(KEY, "peer0", what="1.0", work=first)
    assert not await errands.done(KEY, "peer1", what="1.0", work=beside)
    assert not await errands.done(KEY, "peer0", what="2.0", work=second)
    assert first.ended == ["cancelled"]
    assert second.ended == beside.ended == []


@pytest.mark.parametrize(
    ("end", "cancelled"),
    [
        (lambda errands: errands.drop(KEY, "peer0"), True),
        (lambda errands: errands.forget(KEY), True),
        (lambda errands: errands.stop("trade"), True),
        (lambda errands: errands.stop("other"), False),
        (lambda errands: errands.drop(KEY, "peer1"), False),
    ],
)
async def test_what_nobody_wants_or_may_do_any_more_is_ended(
    errands: Errands, end: Callable[[Errands], None], cancelled: bool
) -> None:
    init = Init()
    assert not await errands.done(KEY, "peer0", what=1, work=init)
    end(errands)
    for _ in range(3):
        await asyncio.sleep(0)
    assert (init.ended == ["cancelled"]) is cancelled


async def test_the_end_of_the_operator_waits_for_what_is_nearly_done(errands: Errands) -> None:
    quick, slow = Init(), Init()
    assert not await errands.done(KEY, "peer0", what=1, work=quick)
    assert not await errands.done(KEY, "peer1", what=1, work=slow)
    asyncio.get_running_loop().call_soon(quick.go.set)
    await errands.close(within=0.05)
    assert (quick.ended, slow.ended) == (["done"], ["cancelled"])
