"""What the developers of this peer type to start their processes."""

from __future__ import annotations

from dataclasses import dataclass

from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.startlines import DevelopmentFiles, server_lines, start_line
from treadle_peer.execution import PackageError, PackageStore


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
