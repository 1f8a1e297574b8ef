"""What the blocks of conversations are made of: the same bytes each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fabric_protos.common.common_pb2 import (
    Block,
    BlockMetadataIndex,
    ChannelHeader,
    Envelope,
    HeaderType,
    LastConfig,
    Metadata,
    MetadataSignature,
    OrdererBlockMetadata,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import (
    Config,
    ConfigGroup,
    ConfigSignature,
    ConfigUpdateEnvelope,
)
from google.protobuf.timestamp_pb2 import Timestamp
from harness.differential.material import FixedConsortium, FixedSigner
from treadle_fabric.channelconfig import Bundle, compute_update, propose_update
from treadle_fabric.channelconfig.genesis import block_of_config, capabilities_value, put_value
from treadle_fabric.packages import parse_legacy_package, wrap_code, write_archive
from treadle_fabric.policy import signed_by_any_admin, signed_by_any_member
from treadle_fabric.wire import (
    block_signature_bytes,
    build_payload,
    new_block,
    serialize,
    set_metadata,
    sha256,
    sign_envelope,
)
from treadle_peer.channels import ChaincodeDefinition

ORDERER_ADDRESS = "orderer.test:7050"
"""In every genesis block, so that its bytes do not tell the port of a run."""

MEMBERS = ("Org1MSP", "Org2MSP")
_MORNING = 1_767_225_600  # 2026-01-01T00:00:00Z


def fixed_nonce(seed: str) -> bytes:
    """24 bytes that only *seed* decides."""
    return sha256(b"nonce", seed.encode())[:24]


def fixed_time(seed: str) -> Timestamp:
    """A moment of 2026 that only *seed* decides."""
    return Timestamp(seconds=_MORNING + int.from_bytes(sha256(b"time", seed.encode())[:3], "big"))


def genesis(
    cast: FixedConsortium,
    channel_id: str,
    capability: str,
    change: Callable[[ConfigGroup], None] | None = None,
) -> Block:
    """Block 0 of both organisations; *capability* of the application: "" for none, or several
    with commas."""
    known = capability in ("V1_4_2", "V2_0", "V2_5")
    block = cast.genesis(
        channel_id=channel_id,
        capability=capability if known else "V1_4_2",
        orderer_address=ORDERER_ADDRESS,
    )
    config = Config(channel_group=Bundle.from_block(block).config.channel_group)
    if not known:
        application = config.channel_group.groups["Application"]
        set_capabilities(application, *(capability.split(",") if capability else ()))
    if change is not None:
        change(config.channel_group)
    return block_of_config(channel_id, config)


def set_capabilities(group: ConfigGroup, *names: str) -> None:
    """Replace the capabilities of *group*."""
    policy = group.values["Capabilities"].mod_policy
    put_value(group, "Capabilities", capabilities_value(names))
    group.values["Capabilities"].mod_policy = policy


def signature_header(signer: FixedSigner, seed: str) -> SignatureHeader:
    """A header of *signer* with the nonce of *seed*."""
    return SignatureHeader(creator=signer.serialize(), nonce=fixed_nonce(seed))


def envelope(
    signer: FixedSigner, *, seed: str, kind: HeaderType.ValueType, channel_id: str, data: bytes
) -> Envelope:
    """A signed envelope without transaction id."""
    header = ChannelHeader(type=kind, timestamp=fixed_time(seed), channel_id=channel_id)
    payload = build_payload(
        channel_header=header, signature_header=signature_header(signer, seed), data=data
    )
    return sign_envelope(signer, payload)


def block_of(
    envelopes: Sequence[bytes],
    *,
    number: int,
    previous: bytes,
    last_config: int,
    signers: Sequence[FixedSigner],
) -> Block:
    """A block that *signers* have signed as orderers do."""
    block = new_block(number, previous, envelopes)
    sign(block, last_config=last_config, signers=signers)
    return block


def sign(
    block: Block, *, last_config: int, signers: Sequence[FixedSigner], value: bytes | None = None
) -> None:
    """Fill the slots SIGNATURES (*value*) and LAST_CONFIG for the block's header as it is now."""
    index = LastConfig(index=last_config)
    if value is None:
        value = serialize(OrdererBlockMetadata(last_config=index))
    for slot, content in (
        (BlockMetadataIndex.SIGNATURES, value),
        (BlockMetadataIndex.LAST_CONFIG, serialize(index)),
    ):
        seed = f"block {block.header.number} slot {slot}"
        entries = []
        for signer in signers:
            header = serialize(signature_header(signer, seed))
            signature = signer.sign(block_signature_bytes(content, header, block.header))
            entries.append(MetadataSignature(signature_header=header, signature=signature))
        set_metadata(block, slot, serialize(Metadata(value=content, signatures=entries)))


def config_transaction(
    bundle: Bundle,
    change: Callable[[ConfigGroup], None],
    *,
    cast: FixedConsortium,
    seed: str,
    signers: Sequence[FixedSigner],
) -> bytes:
    """The marshalled CONFIG envelope that an orderer makes of *change*, signed by *signers*."""
    updated = Config()
    updated.CopyFrom(bundle.config)
    change(updated.channel_group)
    raw = serialize(compute_update(bundle.config, updated, channel_id=bundle.channel_id))
    signatures = []
    for signer in signers:
        header = serialize(signature_header(signer, seed))
        signature = signer.sign(header + raw)
        signatures.append(ConfigSignature(signature_header=header, signature=signature))
    request = envelope(
        signers[0],
        seed=seed,
        kind=HeaderType.CONFIG_UPDATE,
        channel_id=bundle.channel_id,
        data=serialize(ConfigUpdateEnvelope(config_update=raw, signatures=signatures)),
    )
    return serialize(
        envelope(
            cast.orderer,
            seed=f"{seed} ordered",
            kind=HeaderType.CONFIG,
            channel_id=bundle.channel_id,
            data=serialize(propose_update(bundle, request)),
        )
    )


def package(name: str, version: str = "1") -> bytes:
    """A package that needs no building; both peers have those of blocks_targets.INSTALLED."""
    return wrap_code(name=name, version=version, language="car", path="p", code=write_archive([]))


def definition(name: str, version: str = "1", policy: bytes | None = None) -> ChaincodeDefinition:
    """What lscc writes when ``package(name, version)`` is instantiated; *policy* of endorsement."""
    installed = parse_legacy_package(package(name, version))
    return ChaincodeDefinition(
        name=name,
        version=version,
        endorsement_plugin="escc",
        validation_plugin="vscc",
        policy=serialize(signed_by_any_member(MEMBERS)) if policy is None else policy,
        data=installed.data,
        id=installed.id,
        instantiation_policy=serialize(signed_by_any_admin(MEMBERS)),
    )
