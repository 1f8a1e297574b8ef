"""Instantiating what the plan wants, in both modes, and watching it afterwards."""

from __future__ import annotations

import asyncio

from treadle_fabric.client import ClientError, Deployment, EndorsementFailed
from treadle_fabric.packages import language_number
from treadle_fabric.wire import WireError
from treadle_peer.chaincode import Mode as RuntimeMode
from treadle_peer.main import PeerNode

from treadle_cli.local import LocalNetwork, poll
from treadle_cli.play.models import Mode
from treadle_cli.play.plan import Plan, Step
from treadle_cli.play.status import State, Status
from treadle_cli.progress import Progress

_POLL_SECONDS = 0.2
_NOBODY = "no process is connected"
_RUNTIME_MODES = {
    Mode.PRODUCTION: RuntimeMode.PRODUCTION,
    Mode.DEVELOPMENT: RuntimeMode.DEVELOPMENT,
}


class Player:
    """Works through the steps of a plan; ``rows`` tell how far each is."""

    def __init__(
        self, *, plan: Plan, node: PeerNode, network: LocalNetwork, progress: Progress
    ) -> None:
        self._plan = plan
        self._node = node
        self._network = network
        self._progress = progress
        self._changed = asyncio.Event()
        self._rows = {step.instantiation.resource: self._first_row(step) for step in plan.steps}

    @property
    def rows(self) -> list[Status]:
        """One row per instantiation, in the order of the files."""
        return list(self._rows.values())

    async def changed(self) -> None:
        """Wait until a row is not as it was when this was last awaited; for one caller."""
        await self._changed.wait()
        self._changed.clear()

    async def run(self, stop: asyncio.Event) -> None:
        """Carry out all steps, then keep the rows up to date until *stop*."""
        developed = [step for step in self._plan.steps if self.mode_of(step) is Mode.DEVELOPMENT]
        for step in self._plan.steps:
            self._set_mode(step)
        for step in self._plan.steps:
            if step not in developed:
                await self._produce(step)
        async with asyncio.TaskGroup() as group:
            for step in developed:
                group.create_task(self._develop(step))
            group.create_task(self._watch(stop))

    def mode_of(self, step: Step) -> Mode:
        """The mode that holds for *step*."""
        return step.instantiation.mode or self._plan.peer.mode

    def _first_row(self, step: Step) -> Status:
        return Status(
            name=step.instantiation.resource,
            ccid=step.package.ccid,
            channel=step.instantiation.channel,
            mode=self.mode_of(step).value,
        )

    def _set_mode(self, step: Step) -> None:
        if self.mode_of(step) is not self._plan.peer.mode:
            mode = _RUNTIME_MODES[self.mode_of(step)]
            self._node.chaincodes.support.set_mode(step.package.ccid, mode)

    def _note(self, step: Step, state: State, message: str = "", hint: str = "") -> None:
        name = step.instantiation.resource
        self._rows[name] = self._rows[name].now(state, message, hint)
        self._changed.set()

    async def _produce(self, step: Step) -> None:
        text = f"instantiate {step.package.ccid} on {step.instantiation.channel}"
        try:
            async with self._progress.step(text) as told:
                told.note(await self._instantiate(step))
        except (ClientError, WireError) as error:
            self._note(step, State.FAILED, _reason(error))
        else:
            self._note(step, State.READY)

    async def _develop(self, step: Step) -> None:
        self._note(step, State.WAITING, _NOBODY, self._start_line(step))
        while not self._connected(step.package.ccid):
            await poll(_POLL_SECONDS)
        await self._produce(step)

    def _start_line(self, step: Step) -> str:
        return self._node.chaincodes.start_lines.line(step.package.ccid)

    def _connected(self, ccid: str) -> bool:
        return any(
            row["ccid"] == ccid and row["state"] == "registered"
            for row in self._node.chaincodes.runtimes()
        )

    async def _instantiate(self, step: Step) -> str:
        """Instantiate, upgrade or adopt; says which."""
        wanted, package = step.instantiation, step.package
        present = {
            one.name: one.version
            for one in await self._network.administration.instantiated(wanted.channel)
        }
        version = present.get(package.name)
        if version == package.version:
            return "on the ledger already"
        channel = self._network.channel(wanted.channel)
        deployment = _deployment(step)
        if version is None:
            receipt = await channel.instantiate(deployment)
            return f"Init done, committed in block {receipt.commit.block}"
        receipt = await channel.upgrade(deployment)
        return f"upgraded from {version}, committed in block {receipt.commit.block}"

    async def _watch(self, stop: asyncio.Event) -> None:
        """A process that ends shows in its rows; it comes back with the next transaction."""
        while not stop.is_set():
            for step in self._plan.steps:
                self._observe(step)
            await poll(_POLL_SECONDS)

    def _observe(self, step: Step) -> None:
        row = self._rows[step.instantiation.resource]
        connected = self._connected(step.package.ccid)
        if row.state is State.STOPPED and connected:
            self._note(step, State.READY)
        elif row.state is State.READY and not connected:
            developed = self.mode_of(step) is Mode.DEVELOPMENT
            if developed:
                self._note(step, State.STOPPED, _NOBODY, self._start_line(step))
            else:
                self._note(step, State.STOPPED, "launched again when it is called")


def _deployment(step: Step) -> Deployment:
    wanted, package = step.instantiation, step.package
    return Deployment(
        name=package.name,
        version=package.version,
        language_type=language_number(package.language),
        args=tuple(text.encode() for text in wanted.args),
        policy=wanted.policy,
        collections=wanted.collections,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, EndorsementFailed):
        return error.response.response.message
    return str(error)
