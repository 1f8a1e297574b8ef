"""What Fabric's parties send each other: envelopes, proposals, transactions, blocks, hashes.

Knows no identities: whoever signs is a ``SignerLike``. Everything here is pure (fabric-wire.md
§4.1, §4.5, §5.1, §5.3, §8).
"""

from treadle_fabric.wire.blocks import (
    METADATA_SLOTS,
    BlockSignature,
    block_signature_bytes,
    block_signatures,
    channel_id_of,
    fill_metadata,
    first_payload,
    get_metadata,
    get_transactions_filter,
    is_config_block,
    last_config_index,
    new_block,
    set_metadata,
    set_transactions_filter,
    sign_block,
)
from treadle_fabric.wire.durations import format_duration, parse_duration
from treadle_fabric.wire.envelopes import (
    SignerLike,
    UnpackedPayload,
    build_envelope,
    build_payload,
    build_seek_envelope,
    build_signature_header,
    header_type_name,
    sign_envelope,
    timestamp_now,
    unpack_payload,
)
from treadle_fabric.wire.hashing import (
    block_data_hash,
    block_header_bytes,
    block_header_hash,
    sha256,
)
from treadle_fabric.wire.messages import WireError, parse, serialize
from treadle_fabric.wire.missing import (
    encode_signed_cds_data,
    encode_status,
    has_payload_visibility,
    length_delimited_fields,
)
from treadle_fabric.wire.proposals import (
    BuiltProposal,
    UnpackedProposal,
    build_proposal,
    payload_for_transaction,
    proposal_hash,
    unpack_proposal,
)
from treadle_fabric.wire.transactions import (
    assemble_transaction,
    build_proposal_response_payload,
    sign_endorsement,
)
from treadle_fabric.wire.txid import compute_tx_id, new_nonce
from treadle_fabric.wire.unpacking import (
    TransactionError,
    TransactionResults,
    UnpackedTransaction,
    unpack_endorsed,
    unpack_envelope,
    unpack_results,
    unpack_transaction,
)

__all__ = [
    "METADATA_SLOTS",
    "BlockSignature",
    "BuiltProposal",
    "SignerLike",
    "TransactionError",
    "TransactionResults",
    "UnpackedPayload",
    "UnpackedProposal",
    "UnpackedTransaction",
    "WireError",
    "assemble_transaction",
    "block_data_hash",
    "block_header_bytes",
    "block_header_hash",
    "block_signature_bytes",
    "block_signatures",
    "build_envelope",
    "build_payload",
    "build_proposal",
    "build_proposal_response_payload",
    "build_seek_envelope",
    "build_signature_header",
    "channel_id_of",
    "compute_tx_id",
    "encode_signed_cds_data",
    "encode_status",
    "fill_metadata",
    "first_payload",
    "format_duration",
    "get_metadata",
    "get_transactions_filter",
    "has_payload_visibility",
    "header_type_name",
    "is_config_block",
    "last_config_index",
    "length_delimited_fields",
    "new_block",
    "new_nonce",
    "parse",
    "parse_duration",
    "payload_for_transaction",
    "proposal_hash",
    "serialize",
    "set_metadata",
    "set_transactions_filter",
    "sha256",
    "sign_block",
    "sign_endorsement",
    "sign_envelope",
    "timestamp_now",
    "unpack_endorsed",
    "unpack_envelope",
    "unpack_payload",
    "unpack_proposal",
    "unpack_results",
    "unpack_transaction",
]
