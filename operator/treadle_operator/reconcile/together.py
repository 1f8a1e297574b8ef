"""Several things at once, none of which goes on when the others have failed unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TypeVar

_T = TypeVar("_T")


async def together(work: Iterable[Coroutine[object, object, _T]]) -> list[_T]:
    """Do all of it at once; the first failure is raised when all have ended."""
    ended = await asyncio.gather(*work, return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return [one for one in ended if not isinstance(one, BaseException)]
