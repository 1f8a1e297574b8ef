"""The real Fabric ``peer`` command, pointed at one peer and one orderer."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.processes import wait_until


@dataclass(frozen=True, kw_only=True)
class FabricCli:
    """One user at one peer: an MSP folder and two addresses.

    ``tls_root`` is the PEM file that proves both servers; ``None`` means plaintext.
    """

    binary: Path
    config: Path
    msp_id: str
    msp_folder: Path
    peer_address: str
    orderer_address: str
    tls_root: Path | None = None
    client_key: Path | None = None
    client_certificate: Path | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """What a user exports before typing."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "FABRIC_CFG_PATH": str(self.config),
            "CORE_PEER_ADDRESS": self.peer_address,
            "CORE_PEER_LOCALMSPID": self.msp_id,
            "CORE_PEER_MSPCONFIGPATH": str(self.msp_folder),
            "CORE_PEER_TLS_ENABLED": str(self.tls_root is not None).lower(),
            "FABRIC_LOGGING_SPEC": "info",
        }
        if self.tls_root is not None:
            environment["CORE_PEER_TLS_ROOTCERT_FILE"] = str(self.tls_root)
        if self.client_key is not None and self.client_certificate is not None:
            environment["CORE_PEER_TLS_CLIENTAUTHREQUIRED"] = "true"
            environment["CORE_PEER_TLS_CLIENTKEY_FILE"] = str(self.client_key)
            environment["CORE_PEER_TLS_CLIENTCERT_FILE"] = str(self.client_certificate)
        return environment | dict(self.extra)

    def orderer_flags(self) -> list[str]:
        """The flags that name the orderer, as a user types them."""
        flags = ["-o", self.orderer_address]
        if self.tls_root is not None:
            flags += ["--tls", "--cafile", str(self.tls_root)]
        if self.client_key is not None and self.client_certificate is not None:
            flags += ["--clientauth", "--keyfile", str(self.client_key)]
            flags += ["--certfile", str(self.client_certificate)]
        return flags

    def run(
        self,
        *arguments: str,
        cwd: Path | None = None,
        timeout: float = 120,
        succeeds: bool = True,
        extra: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``peer <arguments>``; the assertion shows what the command printed."""
        done = subprocess.run(
            [str(self.binary), *arguments],
            env=self.environment() | dict(extra or {}),
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert (done.returncode == 0) is succeeds, (
            f"peer {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done

    def invoke(
        self,
        name: str,
        *arguments: str,
        channel: str,
        wait: bool = True,
        succeeds: bool = True,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """``peer chaincode invoke``; waits for the commit event unless told otherwise."""
        flags = [*self.orderer_flags(), "-C", channel, "-n", name, "-c", arguments_json(arguments)]
        if wait:
            flags.append("--waitForEvent")
        return self.run("chaincode", "invoke", *flags, succeeds=succeeds, timeout=timeout)

    def query(self, name: str, *arguments: str, channel: str, timeout: float = 120) -> str:
        """``peer chaincode query``: what it prints, without the final newline."""
        flags = ["-C", channel, "-n", name, "-c", arguments_json(arguments)]
        return self.run("chaincode", "query", *flags, timeout=timeout).stdout.rstrip("\n")

    def instantiate(
        self,
        name: str,
        version: str,
        *arguments: str,
        channel: str,
        verb: str = "instantiate",
        policy: str | None = None,
        language: str = "golang",
        succeeds: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """``peer chaincode instantiate`` or, with *verb*, ``upgrade``, and the commit that follows.

        The command itself returns when the transaction is ordered; as in Fabric, the chaincode
        cannot be invoked before the peer has committed it.
        """
        flags = [*self.orderer_flags(), "-C", channel, "-n", name, "-v", version, "-l", language]
        if policy is not None:
            flags += ["-P", policy]
        flags += ["-c", arguments_json(arguments)]
        done = self.run("chaincode", verb, *flags, succeeds=succeeds, timeout=400)
        if succeeds:
            entry = f"Name: {name}, Version: {version},"
            wait_until(
                lambda: entry in self.instantiated(channel), within=30, what=f"{entry} on {channel}"
            )
        return done

    def instantiated(self, channel: str) -> str:
        """``peer chaincode list --instantiated``: what it prints."""
        return self.run("chaincode", "list", "--instantiated", "-C", channel).stdout

    def install(
        self,
        name: str,
        version: str,
        path: str,
        *,
        language: str = "golang",
        cwd: Path | None = None,
        succeeds: bool = True,
        extra: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """``peer chaincode install`` of the sources at *path*."""
        flags = ["-n", name, "-v", version, "-p", path, "-l", language]
        return self.run(
            "chaincode", "install", *flags, cwd=cwd, succeeds=succeeds, extra=extra, timeout=300
        )


def arguments_json(arguments: Sequence[str]) -> str:
    """The ``-c`` value for *arguments*."""
    return json.dumps({"Args": list(arguments)})
