"""Putting endorsement together.

Endorsement needs the executor, and the executor needs endorsement's invoker: the executor is
therefore made by a function that is given the invoker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from treadle_fabric.msp import LocalMSP, MSPManager

from treadle_peer.channels import Channels
from treadle_peer.endorse.acl import AccessControl
from treadle_peer.endorse.definitions import Definitions
from treadle_peer.endorse.endorser import Endorser
from treadle_peer.endorse.invoker import CrossChaincodeInvoker
from treadle_peer.endorse.runner import Runner
from treadle_peer.endorse.scc import Cscc, Lscc, Qscc, SystemChaincode
from treadle_peer.execution import (
    Call,
    ChaincodeExecutor,
    ChaincodeInvoker,
    Outcome,
    PackageStore,
)

SYSTEM_CHAINCODES = frozenset(("lscc", "cscc", "qscc"))

ExecutorFactory = Callable[[ChaincodeInvoker], ChaincodeExecutor]


@dataclass(frozen=True, slots=True)
class Endorsement:
    """The parts others need: ``lscc`` for its ``on_installed``, ``acl`` for other services."""

    endorser: Endorser
    acl: AccessControl
    lscc: Lscc
    invoker: ChaincodeInvoker
    executor: ChaincodeExecutor


class _Later:
    """An executor that exists a moment later."""

    target: ChaincodeExecutor

    async def execute(self, call: Call) -> Outcome:
        return await self.target.execute(call)

    async def run(self, call: Call) -> ChaincodeMessage:
        return await self.target.run(call)


def build_endorsement(
    *,
    channels: Channels,
    packages: PackageStore,
    local_msp: LocalMSP,
    executor: ExecutorFactory,
) -> Endorsement:
    """The endorser of a peer; *executor* is called once, with the invoker for its chaincodes."""
    acl = AccessControl(channels=channels, local_msp=local_msp.msp)
    lscc = Lscc(channels=channels, packages=packages, acl=acl, system=SYSTEM_CHAINCODES)
    system: dict[str, SystemChaincode] = {
        "lscc": lscc,
        "cscc": Cscc(channels=channels, acl=acl),
        "qscc": Qscc(channels=channels, acl=acl),
    }
    definitions = Definitions(channels=channels, packages=packages, system=SYSTEM_CHAINCODES)
    later = _Later()
    runner = Runner(channels=channels, system=system, executor=later)
    invoker = CrossChaincodeInvoker(
        channels=channels, acl=acl, definitions=definitions, runner=runner
    )
    later.target = executor(invoker)
    endorser = Endorser(
        channels=channels,
        local_msps=MSPManager([local_msp.msp]),
        signer=local_msp.signer,
        acl=acl,
        definitions=definitions,
        runner=runner,
    )
    return Endorsement(endorser, acl, lscc, invoker, later.target)
