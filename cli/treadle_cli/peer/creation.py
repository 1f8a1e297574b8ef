"""A channel creation transaction from nothing, for ``peer channel create`` without ``-f``."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import Envelope
from treadle_fabric.channelconfig import V1_4_2, ConfigError, creation_update, update_transaction
from treadle_fabric.identity import Signer

from treadle_cli.peer.errors import CommandError

_CONSORTIUM = "SampleConsortium"


def creation_transaction(channel: str, signer: Signer) -> Envelope:
    """A signed transaction that creates *channel* for the signer's organisation alone.

    The channel has Application capability V1_4_2, so that ``instantiate`` works. Raises
    CommandError for a bad channel name.
    """
    try:
        update = creation_update(
            channel_id=channel,
            consortium=_CONSORTIUM,
            organizations=[signer.msp_id],
            capabilities=[V1_4_2],
        )
    except ConfigError as error:
        raise CommandError(str(error)) from None
    return update_transaction(update=update, signers=[signer], submitter=signer)
