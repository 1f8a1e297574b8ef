"""The functions of lscc and who may call them (fabric-wire.md §3.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from treadle_peer.channels import Channels
from treadle_peer.endorse.acl import AccessControl
from treadle_peer.endorse.errors import AccessDenied
from treadle_peer.endorse.scc.base import (
    SystemCall,
    SystemChaincodeError,
    SystemOutcome,
    text,
)
from treadle_peer.endorse.scc.lscc import queries
from treadle_peer.endorse.scc.lscc.deploy import DEPLOY, UPGRADE, Deployer
from treadle_peer.endorse.scc.lscc.install import InstalledCallback, install
from treadle_peer.endorse.scc.lscc.names import wrong_arg_count
from treadle_peer.execution import PackageStore

_NAME_QUERIES = {
    "getid": "lscc/ChaincodeExists",
    "ChaincodeExists": "lscc/ChaincodeExists",
    "getdepspec": "lscc/GetDeploymentSpec",
    "GetDeploymentSpec": "lscc/GetDeploymentSpec",
    "getccdata": "lscc/GetChaincodeData",
    "GetChaincodeData": "lscc/GetChaincodeData",
}


class Lscc:
    """``on_installed`` callbacks run after every successful install."""

    name = "lscc"

    def __init__(
        self,
        *,
        channels: Channels,
        packages: PackageStore,
        acl: AccessControl,
        system: Collection[str],
    ) -> None:
        self._packages = packages
        self._acl = acl
        self._system = system
        self._deployer = Deployer(channels=channels, packages=packages)
        self._callbacks: list[InstalledCallback] = []

    def on_installed(self, callback: InstalledCallback) -> None:
        """Call *callback* with every package installed from now on."""
        self._callbacks.append(callback)

    async def invoke(self, call: SystemCall) -> SystemOutcome:
        """See SystemChaincode."""
        function = call.function
        if not call.args:
            raise wrong_arg_count(0)
        if function == "install":
            return await self._install(call)
        if function in (DEPLOY, UPGRADE):
            return self._deployer.run(call)
        if function in _NAME_QUERIES:
            return await self._query_name(call)
        if function in ("getchaincodes", "GetChaincodes"):
            return self._instantiated(call)
        if function in ("getinstalledchaincodes", "GetInstalledChaincodes"):
            return await self._installed(call)
        if function in ("GetCollectionsConfig", "getcollectionsconfig"):
            return self._collections(call)
        raise SystemChaincodeError(f"invalid function to lscc: {function}")

    async def _install(self, call: SystemCall) -> SystemOutcome:
        if len(call.args) < 2:
            raise wrong_arg_count(len(call.args))
        self._check(call, "lscc/Install", channel_id="", shown="")
        package = await install(call.args[1], packages=self._packages, system=self._system)
        for callback in self._callbacks:
            callback(package)
        return SystemOutcome(b"OK")

    async def _query_name(self, call: SystemCall) -> SystemOutcome:
        if len(call.args) != 3:
            raise wrong_arg_count(len(call.args))
        channel_id, name = text(call.args[1]), text(call.args[2])
        resource = _NAME_QUERIES[call.function]
        self._check(call, resource, channel_id=channel_id, shown=f"[{channel_id}]")
        if resource == "lscc/ChaincodeExists":
            return SystemOutcome(queries.chaincode_name(call, name))
        if resource == "lscc/GetChaincodeData":
            return SystemOutcome(queries.chaincode_data(call, name))
        return SystemOutcome(queries.deployment_spec(call, name, self._packages))

    def _instantiated(self, call: SystemCall) -> SystemOutcome:
        if len(call.args) != 1:
            raise wrong_arg_count(len(call.args))
        resource = "lscc/GetInstantiatedChaincodes"
        self._check(call, resource, channel_id=call.channel_id, shown=f"[{call.channel_id}]")
        return SystemOutcome(queries.instantiated_chaincodes(call, self._packages))

    async def _installed(self, call: SystemCall) -> SystemOutcome:
        if len(call.args) != 1:
            raise wrong_arg_count(len(call.args))
        self._check(call, "lscc/GetInstalledChaincodes", channel_id="", shown="")
        payload = await asyncio.to_thread(queries.installed_chaincodes, self._packages)
        return SystemOutcome(payload)

    def _collections(self, call: SystemCall) -> SystemOutcome:
        if len(call.args) != 2:
            raise wrong_arg_count(len(call.args))
        self._check(call, "lscc/GetCollectionsConfig", channel_id=call.channel_id, shown="")
        return SystemOutcome(queries.collections(call, text(call.args[1])))

    def _check(self, call: SystemCall, resource: str, *, channel_id: str, shown: str) -> None:
        try:
            self._acl.check(resource, channel_id, call.signed)
        except AccessDenied as error:
            denied = f"access denied for [{call.function}]{shown}: {error}"
            raise SystemChaincodeError(denied) from error
