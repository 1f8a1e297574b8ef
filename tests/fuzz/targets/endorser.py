"""The whole endorser with its system chaincodes: an answer to every signed proposal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from fuzz.forging import refit_proposal, signed_proposal
from fuzz.layers import edit_many
from fuzz.octets import Octets
from fuzz.outcomes import said
from fuzz.validating import CAPABILITIES, peer
from fuzz.world import CHANNEL, consortium
from harness.onepeer import puts
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.packages import sign_package, wrap_code, write_archive
from treadle_fabric.policy import signed_by_any_admin, signed_by_any_member
from treadle_fabric.wire import WireError, parse, serialize
from treadle_peer.endorse.errors import ProposalRefused

_LEVEL = CAPABILITIES[0]


@cache
def _loop() -> asyncio.Runner:
    return asyncio.Runner()


@cache
def _honest() -> tuple[bytes, ...]:
    people = consortium()
    code = write_archive({"src/main.go": b"package main\n"})
    plain = wrap_code(name="third", version="1", language="golang", path="p", code=code)
    policy = serialize(signed_by_any_admin(["Org1MSP"]))
    signed = sign_package(deployment_spec=plain, instantiation_policy=policy, owner=people.admin)
    deployment = Deployment(name="second", version="1", policy=signed_by_any_member(["Org1MSP"]))
    deploy = deployment_args("deploy", CHANNEL, deployment)
    upgrade = deployment_args("upgrade", CHANNEL, Deployment(name="probe", version="2"))

    def local(chaincode: str, *args: bytes) -> bytes:
        return signed_proposal(chaincode, *args, client=people.admin, channel_id="")

    def there(chaincode: str, *args: bytes) -> bytes:
        return signed_proposal(chaincode, *args, client=people.admin)

    return (
        there("probe", b"put", b"a"),
        local("lscc", b"install", plain),
        local("lscc", b"install", signed),
        there("lscc", *deploy),
        there("lscc", *upgrade),
        there("lscc", b"getccdata", CHANNEL.encode(), b"probe"),
        there("lscc", b"getdepspec", CHANNEL.encode(), b"probe"),
        there("lscc", b"getchaincodes"),
        local("lscc", b"getinstalledchaincodes"),
        there("qscc", b"GetBlockByNumber", CHANNEL.encode(), b"0"),
        there("qscc", b"GetBlockByHash", CHANNEL.encode(), b"\0" * 32),
        there("qscc", b"GetTransactionByID", CHANNEL.encode(), b"00"),
        there("qscc", b"GetChainInfo", CHANNEL.encode()),
        local("cscc", b"GetChannels"),
        there("cscc", b"GetConfigBlock", CHANNEL.encode()),
    )


@cache
def _installed() -> frozenset[Path]:
    return frozenset((peer(_LEVEL).folder / "chaincodes").glob("*"))


def seeds() -> Iterator[bytes]:
    """Everything that clients ask, and one edit of each."""
    for number in range(len(_honest())):
        yield bytes((number, 0))
        yield bytes((number, 0, 1, 0, 1, 1, 1, 1))


def one_input(data: bytes) -> None:
    """One answer, whatever it says; simulators are closed by the endorser itself."""
    octets = Octets(data)
    chosen, refit = octets.byte(), octets.byte()
    honest = _honest()
    raw = edit_many(SignedProposal, honest[chosen % len(honest)], octets)
    if refit % 4 != 1:
        raw = refit_proposal(raw)
    try:
        signed = parse(SignedProposal, raw)
    except WireError:
        return
    one = peer(_LEVEL)
    assert _installed()
    one.executor.scripts.setdefault("probe", puts(a="1"))
    one.executor.calls.clear()
    try:
        answer = _loop().run(one.process(signed))
    except ProposalRefused as refusal:
        said(refusal)
        return
    finally:
        # The next input finds what this one found: nothing installed but the first chaincodes.
        for file in set((one.folder / "chaincodes").glob("*")) - _installed():
            file.unlink()
    assert isinstance(answer, ProposalResponse)
    assert 200 <= answer.response.status <= 500 or not answer.HasField("endorsement")
    assert one.channel().ledger.height == 2
