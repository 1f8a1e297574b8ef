"""Developers' processes on this peer: who may register, and what people are told to type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.developers import Judge, by_certificate
from treadle_peer.chaincode.startlines import DevelopmentFiles, server_lines, start_line
from treadle_peer.config import ChaincodeMode, LauncherKind, PeerConfig
from treadle_peer.execution import PackageError, PackageStore
from treadle_peer.main.operated import OperatorSide


@dataclass(frozen=True, slots=True, kw_only=True)
class StartLines:
    """``address`` is the advertised chaincode port, ``tls`` whether it has TLS."""

    packages: PackageStore
    authority: ChaincodeAuthority
    address: str
    tls: bool

    def files(self) -> DevelopmentFiles | None:
        """The development certificate, made when there is none yet; None without TLS."""
        if not self.tls:
            return None
        files = self.authority.development_certificate().files
        return DevelopmentFiles(
            root=files.root,
            certificate=files.certificate_pem,
            key=files.key_pem,
            certificate_base64=files.certificate_base64,
            key_base64=files.key_base64,
        )

    def line(self, ccid: str) -> str:
        """For *ccid*, in the language of its package if that is installed."""
        name, _, version = ccid.partition(":")
        try:
            language = self.packages.get(name, version).language
        except PackageError:
            language = ""
        return start_line(ccid=ccid, language=language, address=self.address, files=self.files())

    def for_anyone(self) -> list[str]:
        """For the banner: every language, indented below its heading."""
        ccid, files = "<name>:<version>", self.files()
        dialling = start_line(ccid=ccid, language="", address=self.address, files=files)
        listening = server_lines(ccid=ccid, address=self.address, files=files)
        return [
            "Start your chaincode in Go, Node or Java with:",
            f"  {dialling}",
            "Start your chaincode in Python, which listens, and the bridge that joins it, with:",
            *(f"  {line}" for line in listening),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What holds for single chaincodes: the line that starts one, and its execute timeout."""

    line: Callable[[str], str]
    timeout: Callable[[str], float | None]


def told_by(start_lines: StartLines, operator: OperatorSide | None) -> Told:
    """What an operator's policies say, and for all others what this peer does."""

    def line(ccid: str) -> str:
        policy = None if operator is None else operator.developments.policy(ccid)
        return policy.start_line if policy and policy.start_line else start_lines.line(ccid)

    def timeout(ccid: str) -> float | None:
        policy = None if operator is None else operator.developments.policy(ccid)
        if policy is not None:
            return policy.execute_timeout
        runtime = None if operator is None else operator.required.get(ccid)
        return None if runtime is None else runtime.record.execute_timeout

    return Told(line=line, timeout=timeout)


def development_rule(config: PeerConfig, authority: ChaincodeAuthority) -> Judge:
    """With TLS a developer's process holds a development certificate; without, anyone may.

    What an operator opens on a production peer is opened by the certificates that it issues alone.
    """
    if not config.chaincode.tls:
        return lambda ccid, caller: None
    operated = config.chaincode.launcher is LauncherKind.OPERATOR
    default = config.chaincode.mode is ChaincodeMode.DEVELOPMENT
    return by_certificate(authority, local=lambda ccid: default or not operated)
