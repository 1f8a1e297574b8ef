"""Channels that an orderer refuses to create (wire §5.2, §5.10)."""

from __future__ import annotations

from collections.abc import Callable

from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.common.configtx_pb2 import ConfigUpdate
from harness.differential import ordering
from harness.differential.catalog import conversation
from harness.differential.configblocks import created, creation
from harness.differential.ordering import config_update
from harness.differential.talk import Talk

_NOT_A_MESSAGE = b"\xff\xff\xff"

Making = Callable[[Talk, str], Envelope]


def changed(change: Callable[[ConfigUpdate], None]) -> Making:
    """The creation of a channel with its update changed."""

    def make(talk: Talk, name: str) -> Envelope:
        update = creation(name)
        change(update)
        return config_update(talk, update, channel=name).build()

    return make


def named(name: str) -> Making:
    """The creation of a channel of this name."""

    def make(talk: Talk, unused: str) -> Envelope:
        update = creation("name")
        update.channel_id = name
        return config_update(talk, update, channel=name).build()

    return make


def signed_by(*names: str) -> Making:
    """Signed as a configuration by these."""

    def make(talk: Talk, name: str) -> Envelope:
        signers = [getattr(talk.cast, each) for each in names]
        return config_update(talk, creation(name), channel=name, signers=signers).build()

    return make


def raw(talk: Talk, name: str) -> Envelope:
    """An update that cannot be read."""
    return config_update(talk, _NOT_A_MESSAGE, channel=name).build()


def no_envelope(talk: Talk, name: str) -> Envelope:
    """Data that is no ConfigUpdateEnvelope."""
    return config_update(talk, creation(name), channel=name, data=_NOT_A_MESSAGE).build()


def no_data(talk: Talk, name: str) -> Envelope:
    """No data at all."""
    return config_update(talk, creation(name), channel=name, data=b"").build()


def other_channel(talk: Talk, name: str) -> Envelope:
    """The update is about another channel than the header."""
    return config_update(talk, creation(f"{name}2"), channel=name).build()


def _members(update: ConfigUpdate, *names: str) -> None:
    for half in (update.read_set, update.write_set):
        members = half.groups["Application"].groups
        for name in list(members):
            del members[name]
        for name in names:
            members[name].SetInParent()


def _consortium(update: ConfigUpdate, value: bytes) -> None:
    update.write_set.values["Consortium"].value = value


def _version(update: ConfigUpdate) -> None:
    update.write_set.groups["Application"].version = 2


def _read_version(update: ConfigUpdate) -> None:
    update.read_set.groups["Application"].version = 3


def _more_read(update: ConfigUpdate) -> None:
    update.read_set.values["Nothing"].version = 1


def _mod_policy(update: ConfigUpdate) -> None:
    update.write_set.groups["Application"].mod_policy = ""


def _capability(update: ConfigUpdate) -> None:
    update.write_set.groups["Application"].values["Capabilities"].value = _NOT_A_MESSAGE


def _policy(update: ConfigUpdate) -> None:
    update.write_set.groups["Application"].policies["Readers"].policy.value = _NOT_A_MESSAGE


def _strange_value(update: ConfigUpdate) -> None:
    value = update.write_set.groups["Application"].values["Strange"]
    value.value, value.mod_policy = b"v", "Admins"


def _strange_group(update: ConfigUpdate) -> None:
    update.write_set.groups["Strange"].mod_policy = "Admins"


REFUSED: dict[str, tuple[str, Making]] = {
    "raw": ("an update that cannot be read", raw),
    "noenvelope": ("data that is no ConfigUpdateEnvelope", no_envelope),
    "nodata": ("no data", no_data),
    "other": ("an update for another channel", other_channel),
    "nowrites": ("no write set", changed(lambda update: update.ClearField("write_set"))),
    "noapp": (
        "no application group",
        changed(lambda update: update.write_set.groups.pop("Application") and None),
    ),
    "version": ("the application group at version 2", changed(_version)),
    "noconsortium": (
        "no consortium",
        changed(lambda update: update.write_set.values.pop("Consortium") and None),
    ),
    "badconsortium": (
        "an unreadable consortium",
        changed(lambda update: _consortium(update, _NOT_A_MESSAGE)),
    ),
    "nomembers": ("no members", changed(lambda update: _members(update))),
    "member": ("a member outside the consortium", changed(lambda u: _members(u, "Org9MSP"))),
    "readversion": ("a read set of another version", changed(_read_version)),
    "readmore": ("a read set of what does not exist", changed(_more_read)),
    "nomodpolicy": ("no mod_policy", changed(_mod_policy)),
    "capability": ("an unreadable capability", changed(_capability)),
    "policy": ("an unreadable policy", changed(_policy)),
    "value": ("a value that nobody knows", changed(_strange_value)),
    "group": ("a group that nobody knows", changed(_strange_group)),
    "upper": ("a name in capitals", named("Capitals")),
    "slash": ("a name with a slash", named("a/b")),
    "digit": ("a name that begins with a digit", named("1st")),
    "long": ("a name of 250 characters", named("a" * 250)),
    "nobody": ("nobody's signature", signed_by()),
    "client": ("a client's signature", signed_by("client")),
    "falseadmin": ("an impostor's signature", signed_by("false_admin")),
}


def _refused(key: str, what: str, make: Making) -> None:
    @conversation(f"ordnew{key}", f"no channel is created with {what}", "5.2")
    async def refused(talk: Talk) -> None:
        name = f"{talk.key}only"
        await ordering.hear_answers(talk, make(talk, name), label="refusal")


for _key, (_what, _make) in REFUSED.items():
    _refused(_key, _what, _make)


@conversation("ordnewtwice", "a channel that exists cannot be created again", "5.2")
async def created_twice(talk: Talk) -> None:
    channel = await created(talk)
    again = config_update(talk, creation(channel), channel=channel)
    await ordering.hear_answers(talk, again.build(), label="refusal")


@conversation(
    "ordnewunsigned", "who sends a creation does not matter, only who signed the update", "5.2"
)
async def outer_signature(talk: Talk) -> None:
    name = f"{talk.key}only"
    envelope = config_update(
        talk, creation(name), channel=name, signer=talk.cast.client, signature=b""
    )
    await ordering.hear_answers(talk, envelope.build())
