"""What lscc checks of a package before it stores it, in which order (wire §3.3, §3.4)."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import ChannelHeader, Envelope, Header, HeaderType, Payload
from fabric_protos.peer.chaincode_pb2 import ChaincodeSpec
from fabric_protos.peer.signed_cc_dep_spec_pb2 import SignedChaincodeDeploymentSpec
from harness.differential.asking import ask, hear_listed, install, package
from harness.differential.catalog import conversation
from harness.differential.talk import Talk
from treadle_fabric.packages import sign_package
from treadle_fabric.policy import signed_by_any_admin
from treadle_fabric.wire import serialize


@conversation("installok", "an install answers OK without an endorsement", "3.3")
async def ok(talk: Talk) -> None:
    await talk.endorse(talk.installation("probe"))
    await hear_listed(talk, signer=talk.cast.admin, function="getinstalledchaincodes")


@conversation("installagain", "the same name and version is never installed twice", "3.4")
async def again(talk: Talk) -> None:
    name = talk.name()
    await talk.endorse(install(talk, package(name, "1")).build())
    await talk.endorse(install(talk, package(name, "1")).build())
    await talk.endorse(install(talk, package(name, "1", files={"a": b"other"})).build())
    await talk.endorse(install(talk, package(name, "2")).build())


@conversation("installaccess", "only an admin of the peer's organisation installs", "3.3", "3.4")
async def access(talk: Talk) -> None:
    cast = talk.cast
    raw = package(talk.name(), "1")
    for signer in (cast.client, cast.peer, cast.admin2, cast.orderer, cast.false_admin):
        await talk.endorse(install(talk, raw, signer=signer).build())
    await talk.endorse(install(talk, b"rubbish", signer=cast.client).build())


@conversation("installonchannel", "an install on a channel is endorsed there", "3.3")
async def on_channel(talk: Talk) -> None:
    channel = await talk.channel()
    raw = package(talk.name(), "1")
    await ask(talk, "lscc", "install", raw, channel=channel, signer=talk.cast.client)
    await ask(talk, "lscc", "install", raw, channel=channel, signer=talk.cast.admin)


@conversation("installrubbish", "what is no package is refused", "3.4")
async def rubbish(talk: Talk) -> None:
    deployment = package(talk.name(), "1")
    for raw in (b"rubbish", b"\xff", b"\x0a", deployment[:-1], b"\0" * 40):
        await talk.endorse(install(talk, raw).build())


@conversation("installnames", "an install refuses names by their rule", "3.4")
async def names(talk: Talk) -> None:
    key = talk.key
    bad = ("-a", "a-", "_a", "a_", "a--b", "a__b", "a.b", "a b", "a/b", "ä", "a:b", "a~b", "")
    good = ("A1", "a-b_c", "0")
    for name in (*(f"{name}" for name in bad), *(f"{name}-{key}" for name in good)):
        await talk.endorse(install(talk, package(name, "1")).build())


@conversation("installversions", "an install refuses versions by their rule", "3.4")
async def versions(talk: Talk) -> None:
    for version in (
        "",
        " ",
        "1 2",
        "1/2",
        "ü",
        "1:2",
        "1~2",
        ".",
        "-",
        "+",
        "1.0_a-b+c",
        "..",
        "_",
    ):
        await talk.endorse(install(talk, package(talk.name(), version)).build())


@conversation(
    "installorder", "the name is looked at before the version, both before the rest", "3.4"
)
async def order(talk: Talk) -> None:
    for name, version in (("bad name", "bad version"), ("lscc", "bad version"), ("lscc", "1")):
        await talk.endorse(install(talk, package(name, version)).build())
    await talk.endorse(install(talk, b"rubbish").build())


@conversation("installsystem", "no chaincode is installed under a system chaincode's name", "3.4")
async def system(talk: Talk) -> None:
    for name in ("lscc", "cscc", "qscc", "escc", "vscc", "LSCC"):
        await talk.endorse(install(talk, package(name, f"1-{talk.key}")).build())


@conversation("installtypes", "an install takes every chaincode type", "3.4")
async def types(talk: Talk) -> None:
    for kind, file in (
        (ChaincodeSpec.UNDEFINED, "src/a"),
        (ChaincodeSpec.GOLANG, "src/p/main.go"),
        (ChaincodeSpec.NODE, "src/package.json"),
        (ChaincodeSpec.CAR, "a"),
        (ChaincodeSpec.JAVA, "src/pom.xml"),
    ):
        raw = package(talk.name(f"type{kind}"), "1", kind=kind, files={file: b"{}"})
        await talk.endorse(install(talk, raw).build())


@conversation("installextra", "an install looks at its first argument alone", "3.3")
async def extra_arguments(talk: Talk) -> None:
    raw = package(talk.name(), "1")
    await ask(talk, "lscc", "install", raw, "more", "and more", signer=talk.cast.admin)


@conversation("installsigned", "a signed package is installed, with owners or without", "3.4")
async def signed(talk: Talk) -> None:
    policy = serialize(signed_by_any_admin(["Org1MSP"]))
    for base, owner in (("owned", talk.cast.admin), ("ownerless", None)):
        raw = sign_package(
            deployment_spec=package(talk.name(base), "1"), instantiation_policy=policy, owner=owner
        )
        await talk.endorse(install(talk, raw).build())
    await hear_listed(talk, signer=talk.cast.admin, function="getinstalledchaincodes")


@conversation("installbadsigned", "a signed package must be whole", "3.4")
async def badly_signed(talk: Talk) -> None:
    spec = package(talk.name(), "1")
    policy = serialize(signed_by_any_admin(["Org1MSP"]))

    def wrapped(
        content: SignedChaincodeDeploymentSpec, kind: int = HeaderType.CHAINCODE_PACKAGE
    ) -> bytes:
        header = Header(channel_header=serialize(ChannelHeader(type=kind)))  # type: ignore[arg-type]
        return serialize(
            Envelope(payload=serialize(Payload(header=header, data=serialize(content))))
        )

    complete = SignedChaincodeDeploymentSpec(
        chaincode_deployment_spec=spec, instantiation_policy=policy
    )
    for raw in (
        wrapped(SignedChaincodeDeploymentSpec(chaincode_deployment_spec=spec)),
        wrapped(complete, HeaderType.ENDORSER_TRANSACTION),
        serialize(Envelope(payload=b"\xff")),
        serialize(complete),
        wrapped(complete),
    ):
        await talk.endorse(install(talk, raw).build())
