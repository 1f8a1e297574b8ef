"""What kubectl answers becomes an object or one sentence; what it fails in is tried again."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from treadle_cli.cluster.kubectl import Kubectl
from treadle_cli.cluster.proxied import api_socket
from treadle_cli.dev.clusters import Known
from treadle_cli.dev.instantiations import Instantiation
from treadle_cli.errors import TreadleError

Answer = Callable[[str], None]
ROW = {"peer": "peer0", "pod": "peer0-0", "port": 7052, "server_name": "peer0", "tls": True}


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Sets what kubectl is from then on: the text of a program."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def is_now(text: str) -> None:
        made = tmp_path / "made"
        made.write_text(text)
        made.chmod(0o755)
        made.rename(tmp_path / "kubectl")

    return is_now


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("#!/bin/sh\nprintf '{'", "with what is no JSON"),
        ("#!/bin/sh\nprintf '\\377\\376\\377'", "with what is no JSON"),
        ("#!/bin/sh\nprintf '[]'", "with something else"),
        ("#!/bin/sh\nprintf '\\377' >&2; exit 1", "kubectl cannot read secret a-dev"),
        ('#!/bin/sh\necho \'{"data": {"key": "ä"}}\'', "Secret a-dev is damaged"),
        ("no program at all", "kubectl cannot be started: Exec format error"),
    ],
)
async def test_an_answer_that_is_no_object_is_one_sentence(
    script: str, sentence: str, answer: Answer
) -> None:
    answer(script)
    with pytest.raises(TreadleError, match=sentence):
        await Kubectl().secret("a-dev")


async def test_words_of_kubectl_that_are_no_text_are_told(answer: Answer) -> None:
    answer("#!/bin/sh\nprintf 'one\\377two' >&2; exit 1")
    with pytest.raises(TreadleError, match="cannot forward port 7052 of pod peer0-0") as raised:
        async with Kubectl().forwarded("peer0-0", 7052):
            pass
    assert raised.value.details == "one\ufffdtwo"
    async with api_socket(Kubectl()) as api:
        with pytest.raises(TreadleError, match="does not lead to the API server") as raised:
            async with api.port("trade", "peer0-0", 7052):
                pass
    assert raised.value.details == "one\ufffdtwo"


def cluster(data: dict[str, bytes]) -> str:
    """A kubectl whose cluster has an instantiation in development, and its Secret."""
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    found = {"metadata": {"namespace": "trade"}, "data": encoded}
    return f"#!/bin/sh\ncat <<'END'\n{json.dumps(found)}\nEND\n"


async def test_certificates_are_renewed_after_whatever_was_in_the_way(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ""

    async def until(condition: Callable[[], bool]) -> None:
        nonlocal said
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.01)
                said += capsys.readouterr().err

    rows = json.dumps([ROW]).encode()
    answer(cluster({"peers.json": rows, "ca.crt": b"first"}))
    instantiation = Instantiation(kubectl=Kubectl(), name="a")
    known = Known(instantiation, await instantiation.development(), every=0.02)
    async with known.refreshed():
        answer("no program at all")
        await until(lambda: "Exec format error\n" in said)
        # No word of ours for it: numbers where the operator writes objects.
        answer('#!/bin/sh\n[ "$2" = secret ] || echo \'{"status": {"conditions": [1]}}\'')
        await until(lambda: "AttributeError" in said)
        first = len(said)
        answer(cluster({"peers.json": rows, "ca.crt": b"second"}))
        await until(lambda: known.development.data["ca.crt"] == b"second")
    assert said.count("not renewed until this is over") == 2, said
    assert len(said) == first
