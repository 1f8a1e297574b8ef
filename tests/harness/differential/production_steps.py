"""What conversations with production peers do again and again: install, launch, register."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from harness.differential.chaincode import Chaincode, Transaction
from harness.differential.production_processes import Process, Processes
from harness.differential.talk import ANSWER_SECONDS, Talk
from treadle_fabric.packages import wrap_code, write_archive
from treadle_fabric.wire import BuiltProposal

STAND_IN = Path(__file__).resolve().parents[2] / "differential" / "stand_in"


@dataclass(slots=True)
class Launched:
    """A process and the stream on which it has registered."""

    process: Process
    chaincode: Chaincode


def processes(talk: Talk) -> Processes:
    """All that the peer of this conversation has launched."""
    found: Processes = talk.links.target.processes  # type: ignore[attr-defined]
    return found


def launches(talk: Talk, base: str = "probe", version: str = "1") -> int:
    """How often the peer has launched this chaincode."""
    return processes(talk).launches[talk.ccid(base, version)]


async def next_process(talk: Talk, base: str = "probe", version: str = "1") -> Process:
    """The process that the peer launches, or has launched, next for this chaincode."""
    return await processes(talk).next(talk.ccid(base, version))


def package(talk: Talk, base: str = "probe", version: str = "1", *, broken: bool = False) -> bytes:
    """A package of the stand-in; *broken*: of one that no compiler takes."""
    files = {f"src/{file.name}": file.read_bytes() for file in sorted(STAND_IN.iterdir())}
    if broken:
        files["src/main.go"] += b"\nvar _ = nothingOfThisName\n"
    return wrap_code(
        name=talk.name(base),
        version=version,
        language="golang",
        path="example.com/stand-in",
        code=write_archive(files),
    )


async def install(talk: Talk, base: str = "probe", version: str = "1") -> None:
    """Install the stand-in; unrecorded."""
    await _ask(talk, talk.installation(base, version, raw=package(talk, base, version)))


async def registered(talk: Talk, process: Process, label: str = "") -> Launched:
    """Let *process* register; REGISTERED and READY are unrecorded."""
    chaincode = process.stream(talk, label)
    await chaincode.register(process.ccid)
    for _ in range(2):
        assert await chaincode.line.read(ANSWER_SECONDS) is not None, "refused"
    return Launched(process, chaincode)


async def deployed(
    talk: Talk, base: str = "probe", *, version: str = "1", suffix: str = "", verb: str = "deploy"
) -> Launched:
    """Install, instantiate, launch, register and initialise; committed, unrecorded."""
    channel = await talk.channel(suffix)
    await install(talk, base, version)
    proposal = talk.deployment(base, channel, version=version, verb=verb)
    asking = asyncio.create_task(_ask(talk, proposal))
    launched = await registered(talk, await next_process(talk, base, version))
    call = await launched.chaincode.line.read(ANSWER_SECONDS)
    await Transaction(launched.chaincode, call).complete()
    answer = await asking
    await talk.commit(proposal, answer, signer=talk.cast.admin)
    return launched


@asynccontextmanager
async def first_call(
    talk: Talk, proposal: BuiltProposal, base: str = "probe", version: str = "1"
) -> AsyncIterator[tuple[Launched, Transaction]]:
    """Send *proposal*, for which the peer has to launch, let register and hear the call.

    At the end hear the client's answer, which the transaction keeps.
    """
    asking = asyncio.create_task(talk.endorse(proposal))
    try:
        launched = await registered(talk, await next_process(talk, base, version))
        transaction = Transaction(launched.chaincode, await launched.chaincode.called())
        yield launched, transaction
        transaction.answer = await asking
    finally:
        asking.cancel()


async def hung_up(launched: Launched) -> None:
    """End the stream alone; unrecorded. Returns when the peer knows."""
    await launched.chaincode.line.finish()
    # The peer ends its side of the stream once the chaincode is out of its registry.
    assert await launched.chaincode.line.read(ANSWER_SECONDS) is None


async def ended(launched: Launched, code: int = 0) -> None:
    """End stream and process; unrecorded. Returns when the peer knows."""
    await hung_up(launched)
    await launched.process.exit(code)


async def _ask(talk: Talk, proposal: BuiltProposal) -> ProposalResponse:
    answer: ProposalResponse = await talk.links.endorser.ProcessProposal(
        proposal.signed, timeout=ANSWER_SECONDS
    )
    assert answer.response.status == 200, answer.response.message
    return answer
