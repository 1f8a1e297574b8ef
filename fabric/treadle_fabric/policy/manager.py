"""All policies of a channel by path (fabric-wire.md 5.10, 6.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.common.policies_pb2 import (
    ImplicitMetaPolicy,
    SignaturePolicyEnvelope,
)
from fabric_protos.common.policies_pb2 import Policy as PolicyMessage
from google.protobuf.message import Message

from treadle_fabric.msp import MSPManager
from treadle_fabric.policy.errors import PolicyError
from treadle_fabric.policy.evaluation import Policy
from treadle_fabric.policy.implicit import RejectPolicy, make_meta_policy
from treadle_fabric.policy.signature import compile_signature_policy
from treadle_fabric.wire import WireError, parse_bare

_SEPARATOR: Final = "/"
_ROOT: Final = "Channel"
_M = TypeVar("_M", bound=Message)


@dataclass(frozen=True, slots=True)
class PolicyManager:
    """The policies of one configuration group and of all groups below it.

    ``path`` is the group's own path without a leading separator: ``Channel`` for the root.
    """

    path: str
    _policies: Mapping[str, Policy]
    _groups: Mapping[str, PolicyManager]

    @classmethod
    def from_config_group(
        cls, root: ConfigGroup, msps: MSPManager, *, path: str = _ROOT
    ) -> PolicyManager:
        """Compile the policies of a configuration tree; raises PolicyError naming the policy."""
        groups = {
            name: cls.from_config_group(root.groups[name], msps, path=f"{path}{_SEPARATOR}{name}")
            for name in sorted(root.groups)
        }
        policies: dict[str, Policy] = {}
        for name in sorted(root.policies):
            config = root.policies[name]
            if not config.HasField("policy"):
                raise PolicyError(f"policy {name} at path {path} was nil")
            policies[name] = _compile(config.policy, groups, msps, where=f"{name} at path {path}")
        return cls(path, policies, groups)

    def policy(self, path: str) -> Policy:
        """The policy at an absolute (``/Channel/...``) or relative path.

        Where there is none, a policy that rejects with ``no such policy: '...'``.
        """
        found = self._find(path)
        return RejectPolicy(self._relative(path) or path) if found is None else found

    def manager(self, groups: Sequence[str]) -> PolicyManager | None:
        """The manager of a group below this one, given by the names on the way; None if none."""
        found: PolicyManager | None = self
        for name in groups:
            found = None if found is None else found._groups.get(name)
        return found

    def paths(self) -> Iterator[str]:
        """The absolute paths of all policies of this group and below."""
        for name in self._policies:
            yield f"{_SEPARATOR}{self.path}{_SEPARATOR}{name}"
        for group in self._groups.values():
            yield from group.paths()

    def _find(self, path: str) -> Policy | None:
        relative = self._relative(path)
        if relative is None:
            return None
        *groups, name = relative.split(_SEPARATOR)
        manager = self.manager(groups)
        return None if manager is None else manager._policies.get(name)

    def _relative(self, path: str) -> str | None:
        if not path.startswith(_SEPARATOR):
            return path
        prefix = f"{_SEPARATOR}{self.path}{_SEPARATOR}"
        return path.removeprefix(prefix) if path.startswith(prefix) else None


def _compile(
    message: PolicyMessage, groups: Mapping[str, PolicyManager], msps: MSPManager, *, where: str
) -> Policy:
    try:
        if message.type == PolicyMessage.IMPLICIT_META:
            definition = _parsed(ImplicitMetaPolicy, message.value)
            children = [group.policy(definition.sub_policy) for group in groups.values()]
            return make_meta_policy(definition, children, msps)
        if message.type == PolicyMessage.SIGNATURE:
            envelope = _parsed(SignaturePolicyEnvelope, message.value, "SignaturePolicy")
            return compile_signature_policy(envelope, msps)
    except PolicyError as error:
        kind = "implicit policy" if message.type == PolicyMessage.IMPLICIT_META else "policy"
        raise PolicyError(f"{kind} {where} did not compile: {error}") from None
    raise PolicyError(f"policy {where} has unknown policy type: {message.type}")


def _parsed(kind: type[_M], data: bytes, name: str | None = None) -> _M:
    try:
        return parse_bare(kind, data)
    except WireError as error:
        text = f"Error unmarshalling to {name or kind.DESCRIPTOR.name}: {error}"
        raise PolicyError(text) from error
