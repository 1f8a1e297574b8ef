"""``treadle dev connect --id …``: to a peer whose chaincode port can be dialled, from files."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from treadle_peer.server.chaincode_grpc import ClientTLS

from treadle_cli.dev.joining import Served
from treadle_cli.dev.peers import Credentials, PeerEnd
from treadle_cli.dev.starting import DirectFiles
from treadle_cli.errors import TreadleError


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """PEM files for a peer's chaincode port; without ``root`` it is dialled in plaintext."""

    root: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str = ""

    def credentials(self) -> Credentials:
        """Read anew for each connection: a certificate is replaced at half of its life."""

        async def read() -> ClientTLS | None:
            if self.root is None:
                return None
            return ClientTLS(
                roots=read_file(self.root),
                certificate=read_file(self.certificate) if self.certificate else None,
                key=read_file(self.key) if self.key else None,
                server_name=self.server_name or None,
            )

        return read


@contextmanager
def direct_files(tls: ClientTLS) -> Iterator[DirectFiles]:
    """Files in a private folder, in the forms that shims read; raises TreadleError."""
    if tls.certificate is None or tls.key is None:
        raise TreadleError("--direct needs the development certificate and its key")
    with TemporaryDirectory(prefix="treadle-dev-") as name:
        folder = Path(name)
        files = DirectFiles(
            root=folder / "ca.crt",
            certificate=folder / "client.crt",
            key=folder / "client.key",
            certificate_base64=folder / "client.crt.b64",
            key_base64=folder / "client.key.b64",
        )
        files.root.write_bytes(tls.roots)
        files.certificate.write_bytes(tls.certificate)
        files.key.write_bytes(tls.key)
        files.certificate_base64.write_bytes(base64.b64encode(tls.certificate))
        files.key_base64.write_bytes(base64.b64encode(tls.key))
        yield files


def read_file(file: Path) -> bytes:
    """Its contents; raises TreadleError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise TreadleError(f"cannot read {file}: {error.strerror}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPeer:
    """A peer whose chaincode port this machine reaches."""

    address: str
    ccid: str
    msp_id: str
    files: Files

    @asynccontextmanager
    async def opened(self, *, direct: bool) -> AsyncIterator[Served]:
        """See Place."""
        end = PeerEnd(name=self.address, address=self.address, credentials=self.files.credentials())
        served = Served(ccid=self.ccid, msp_id=self.msp_id, peers=[end])
        tls = await end.credentials()
        if not direct or tls is None:
            yield served
            return
        with direct_files(tls) as files:
            yield replace(served, files=files)
