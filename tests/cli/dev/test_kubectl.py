"""What kubectl answers becomes an object or one sentence."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from treadle_cli.cluster.kubectl import Kubectl
from treadle_cli.dev.clusters import notice_end
from treadle_cli.errors import TreadleError


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("printf '{'", "with what is no JSON"),
        (r"printf '\377\376\377'", "with what is no JSON"),
        ("printf '[]'", "with something else"),
        (r"printf '\377' >&2; exit 1", "kubectl cannot read secret a-dev"),
    ],
)
async def test_an_answer_that_is_no_object_is_one_sentence(
    script: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(TreadleError, match=sentence):
        await Kubectl().object("secret", "a-dev")


async def test_a_renewal_that_ends_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    async def renewal() -> None:
        raise OSError("the disk is full")

    task = asyncio.create_task(renewal())
    task.add_done_callback(notice_end)
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert "not renewed any more" in capsys.readouterr().err
