"""Packages that only name what runs: required, they are built already."""

from __future__ import annotations

import grpc
import pytest
from harness.networks import connected
from harness.operators import Operator
from harness.peers import PeerProcess
from treadle_fabric.client import ClientError, PeerAdministration
from treadle_fabric.packages import (
    ImageReference,
    Prebuilt,
    ServerReference,
    parse_legacy_package,
    prebuilt_code,
    prebuilt_language,
    wrap_code,
    write_archive,
)
from treadle_runtime.v1 import runtime_pb2 as pb

IMAGE = ImageReference(name="registry.example.com/asset", digest="sha256:" + "ab" * 32)
SERVER = ServerReference(address="asset.example.com:9999", secret="asset-tls")


def packed(name: str, prebuilt: Prebuilt) -> bytes:
    language, code = prebuilt_language(prebuilt), prebuilt_code(prebuilt)
    return wrap_code(name=name, version="1", language=language, path=name, code=code)


@pytest.mark.parametrize(("name", "prebuilt"), [("imaged", IMAGE), ("served", SERVER)])
async def test_an_installed_name_is_told_to_the_operator_and_never_built(
    shared_peer: PeerProcess, name: str, prebuilt: Prebuilt
) -> None:
    raw, ccid = packed(name, prebuilt), f"{name}:1"
    async with connected(shared_peer) as network, Operator.of(shared_peer) as operator:
        administration = PeerAdministration(peer=network.peer, signer=network.admin)
        await administration.install(raw)
        installed = {row.name: row for row in await administration.installed()}
        assert installed[name].id == parse_legacy_package(raw).id
        row = await operator.require(ccid)
        assert row.state == pb.STATE_STARTING
        assert row.language == prebuilt_language(prebuilt)
        assert (row.image, row.server.address, row.server.secret) == told(prebuilt)
        assert not row.HasField("output")
        with pytest.raises(grpc.aio.AioRpcError, match="nothing to build"):
            await operator.issue(ccid, pb.PURPOSE_BUILDER)
        await operator.issue(ccid)


def told(prebuilt: Prebuilt) -> tuple[str, str, str]:
    if isinstance(prebuilt, ImageReference):
        return prebuilt.reference, "", ""
    return "", prebuilt.address, prebuilt.secret


async def test_a_package_that_names_nothing_is_not_installed(shared_peer: PeerProcess) -> None:
    code = write_archive({"image.json": b"{}"})
    raw = wrap_code(name="nameless", version="1", language="k8s", path="x", code=code)
    async with connected(shared_peer) as network:
        administration = PeerAdministration(peer=network.peer, signer=network.admin)
        with pytest.raises(ClientError, match="no usable 'name'"):
            await administration.install(raw)
