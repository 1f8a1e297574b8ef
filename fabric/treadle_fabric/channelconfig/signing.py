"""Signing configuration updates, as clients do before they broadcast them."""

from __future__ import annotations

from collections.abc import Sequence

from fabric_protos.common.common_pb2 import Envelope, HeaderType
from fabric_protos.common.configtx_pb2 import ConfigSignature, ConfigUpdate, ConfigUpdateEnvelope

from treadle_fabric.wire import SignerLike, build_envelope, build_signature_header, serialize


def sign_update(signer: SignerLike, update: bytes) -> ConfigSignature:
    """*signer*'s consent to the marshalled ConfigUpdate *update*."""
    header = serialize(build_signature_header(signer))
    return ConfigSignature(signature_header=header, signature=signer.sign(header + update))


def update_transaction(
    *, update: ConfigUpdate, signers: Sequence[SignerLike], submitter: SignerLike
) -> Envelope:
    """The CONFIG_UPDATE transaction of *update*, consented to by *signers*."""
    raw = serialize(update)
    content = ConfigUpdateEnvelope(
        config_update=raw, signatures=[sign_update(signer, raw) for signer in signers]
    )
    return build_envelope(
        signer=submitter,
        header_type=HeaderType.CONFIG_UPDATE,
        channel_id=update.channel_id,
        data=serialize(content),
    )
