"""Config updates that an orderer refuses (wire §5.2, §5.10)."""

from __future__ import annotations

from collections.abc import Callable

from fabric_protos.common.configtx_pb2 import ConfigUpdate
from harness.differential import ordering
from harness.differential.catalog import conversation
from harness.differential.configblocks import created, first_block
from harness.differential.ordering import EnvelopeDraft, config_update
from harness.differential.talk import Talk
from harness.differential.updates import anchored

_NOT_A_MESSAGE = b"\xff\xff\xff"

Making = Callable[[Talk, ConfigUpdate, str], EnvelopeDraft]


def changed(change: Callable[[ConfigUpdate], object]) -> Making:
    """The update changed."""

    def make(talk: Talk, update: ConfigUpdate, channel: str) -> EnvelopeDraft:
        change(update)
        return config_update(talk, update, channel=channel)

    return make


def signed_by(*names: str) -> Making:
    """The update signed by these."""
    return lambda talk, update, channel: config_update(
        talk, update, channel=channel, signers=[getattr(talk.cast, each) for each in names]
    )


def sent(**parts: object) -> Making:
    """The envelope changed."""
    return lambda talk, update, channel: config_update(talk, update, channel=channel, **parts)


def sent_by(name: str) -> Making:
    """The envelope of another."""
    return lambda talk, update, channel: config_update(
        talk, update, channel=channel, signer=getattr(talk.cast, name)
    )


def _organization(update: ConfigUpdate):  # type: ignore[no-untyped-def]
    return update.write_set.groups["Application"].groups["Org1MSP"]


def _value_version(update: ConfigUpdate) -> None:
    _organization(update).values["AnchorPeers"].version = 4


def _mod_policy(update: ConfigUpdate) -> None:
    _organization(update).values["AnchorPeers"].mod_policy = ""


def _odd_mod_policy(update: ConfigUpdate) -> None:
    _organization(update).values["AnchorPeers"].mod_policy = "a b"


def _unreadable(update: ConfigUpdate) -> None:
    _organization(update).values["AnchorPeers"].value = _NOT_A_MESSAGE


def _strange(update: ConfigUpdate) -> None:
    value = _organization(update).values["Strange"]
    value.value, value.mod_policy = b"v", "Admins"


def _odd_key(update: ConfigUpdate) -> None:
    value = _organization(update).values["a b"]
    value.value, value.mod_policy = b"v", "Admins"


def _read_version(update: ConfigUpdate) -> None:
    update.read_set.groups["Application"].groups["Org1MSP"].version = 7


def _read_missing(update: ConfigUpdate) -> None:
    update.read_set.groups["Application"].groups["Org9MSP"].version = 0


def _same_version(update: ConfigUpdate) -> None:
    _organization(update).version = 0


def _older_version(update: ConfigUpdate) -> None:
    update.write_set.groups["Application"].version = 0


def _same(update: ConfigUpdate) -> None:
    update.write_set.CopyFrom(update.read_set)


def _other_msp(update: ConfigUpdate) -> None:
    value = _organization(update).values["MSP"]
    value.value, value.version, value.mod_policy = b"", 1, "Admins"


REFUSED: dict[str, tuple[str, Making]] = {
    "raw": ("that cannot be read", lambda t, u, c: config_update(t, _NOT_A_MESSAGE, channel=c)),
    "data": ("whose envelope holds something else", sent(data=_NOT_A_MESSAGE)),
    "nodata": ("without data", sent(data=b"")),
    "channel": ("of another channel", changed(lambda update: setattr(update, "channel_id", "x"))),
    "client": ("that a client has signed", signed_by("client")),
    "nobody": ("that nobody has signed", signed_by()),
    "otheradmin": ("that another organisation's admin has signed", signed_by("admin2")),
    "falseadmin": ("that an impostor has signed", signed_by("false_admin")),
    "sender": ("that a stranger sends", sent_by("stranger")),
    "envelope": ("whose envelope is not signed", sent(signature=b"")),
    "same": ("that changes nothing", changed(_same)),
    "nowrites": ("without write set", changed(lambda update: update.ClearField("write_set"))),
    "valueversion": ("that creates a value at version 4", changed(_value_version)),
    "sameversion": ("that changes a group, but not its version", changed(_same_version)),
    "older": ("that puts a version back", changed(_older_version)),
    "mod": ("without mod_policy", changed(_mod_policy)),
    "oddmod": ("with an impossible mod_policy", changed(_odd_mod_policy)),
    "unreadable": ("with an unreadable value", changed(_unreadable)),
    "strange": ("with a value that nobody knows", changed(_strange)),
    "oddkey": ("with an impossible key", changed(_odd_key)),
    "readversion": ("that has read another version", changed(_read_version)),
    "readmissing": ("that has read what does not exist", changed(_read_missing)),
    "msp": ("that empties an MSP", changed(_other_msp)),
}


def _refused(key: str, what: str, make: Making) -> None:
    @conversation(f"ordupd{key}", f"an orderer refuses a config update {what}", "5.2")
    async def refused(talk: Talk) -> None:
        channel = await created(talk)
        update = anchored(await first_block(talk, channel), channel, 7051)
        draft = make(talk, update, channel)
        await ordering.hear_answers(talk, draft.build(), label="refusal")


for _key, (_what, _make) in REFUSED.items():
    _refused(_key, _what, _make)


@conversation("ordupdtwice", "a config update cannot be applied twice", "5.2")
async def twice(talk: Talk) -> None:
    channel = await created(talk)
    update = anchored(await first_block(talk, channel), channel, 7051)
    envelope = config_update(talk, update, channel=channel).build()
    await ordering.hear_answers(talk, envelope, label="first")
    await talk.links.ordered(talk.cast.admin, channel, 1)
    await ordering.hear_answers(talk, envelope, label="second")


@conversation("ordupdmore", "signatures that do not count do no harm", "5.2")
async def needless_signatures(talk: Talk) -> None:
    channel = await created(talk)
    update = anchored(await first_block(talk, channel), channel, 7051)
    cast = talk.cast
    signers = [cast.client, cast.false_admin, cast.admin, cast.admin, cast.admin2]
    draft = config_update(talk, update, channel=channel, signers=signers)
    await ordering.hear_answers(talk, draft.build(), label="answer")
