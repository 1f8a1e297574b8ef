"""The policy language of Fabric's command line (fabric-wire.md 6.5).

``AND('Org1MSP.peer', OR('Org2MSP.admin', 'Org3MSP.member'))``, ``OutOf(2, ...)``; gate names in
lower case, upper case, or as written here. Principals are numbered as Fabric's parser numbers
them, the inner gates first, so that the same text gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole

from treadle_fabric.policy.envelopes import RoleNumber, n_out_of, role_principal, signed_by
from treadle_fabric.policy.errors import PolicyError

_GATES: Final = {
    spelling: gate
    for gate, spellings in {
        "and": ("And", "and", "AND"),
        "or": ("Or", "or", "OR"),
        "outof": ("OutOf", "outof", "OUTOF"),
    }.items()
    for spelling in spellings
}
_ROLES: Final[dict[str, RoleNumber]] = {
    "member": MSPRole.MEMBER,
    "admin": MSPRole.ADMIN,
    "client": MSPRole.CLIENT,
    "peer": MSPRole.PEER,
    "orderer": MSPRole.ORDERER,
}
_PRINCIPAL: Final = re.compile(rf"([A-Za-z0-9.-]+)\.({'|'.join(_ROLES)})", re.ASCII)
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>['\"][^'\"]*['\"])|(?P<number>-?\d+)|(?P<name>[A-Za-z_][\w.]*)|(?P<mark>[(),]))",
    re.ASCII,
)
# Each gate is two messages deep, and protobuf reads no message nested deeper than 100.
_MAX_NESTING: Final = 40
_MAX_DIGITS: Final = 19


def parse_policy(text: str) -> SignaturePolicyEnvelope:
    """The policy that ``text`` describes; raises PolicyError with what is wrong in it."""
    parser = _Parser(text, tokens=_tokens(text))
    gate = parser.argument(depth=0) if parser.tokens else None
    if not isinstance(gate, _Gate) or parser.tokens:
        raise PolicyError(f"invalid policy string '{text}'")
    principals: list[MSPPrincipal] = []
    rule = _number(gate, principals)
    return SignaturePolicyEnvelope(version=0, rule=rule, identities=principals)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class _Principal:
    msp_id: str
    role: RoleNumber


@dataclass(frozen=True, slots=True)
class _Gate:
    needed: int
    rules: Sequence[_Gate | _Principal]


def _tokens(text: str) -> list[_Token]:
    """All tokens, last one first, so that the parser can pop them."""
    tokens, offset, end = [], 0, len(text.rstrip())
    while offset < end:
        match = _TOKEN.match(text, offset)
        if match is None or match.lastgroup is None:
            raise PolicyError(f"unrecognized token '{text[offset:].strip()}' in policy string")
        tokens.append(_Token(match.lastgroup, match[match.lastgroup]))
        offset = match.end()
    return tokens[::-1]


@dataclass(slots=True)
class _Parser:
    text: str
    tokens: list[_Token] = field(default_factory=list)

    def argument(self, *, depth: int) -> _Gate | _Principal | int:
        token = self._next()
        if token.kind == "number":
            return _integer(token.value)
        if token.kind == "text":
            return self._quoted(token.value[1:-1])
        if token.kind == "name" and token.value in _GATES:
            return self._gate(_GATES[token.value], depth=depth + 1)
        if token.kind == "name" and self.tokens and self.tokens[-1].value == "(":
            raise PolicyError(f"Undefined function {token.value}")
        raise PolicyError(f"unrecognized token '{token.value}' in policy string")

    def _next(self) -> _Token:
        if not self.tokens:
            raise PolicyError(f"invalid policy string '{self.text}': Unbalanced parenthesis")
        return self.tokens.pop()

    def _expect(self, *marks: str) -> str:
        token = self._next()
        if token.kind != "mark" or token.value not in marks:
            raise PolicyError(f"unrecognized token '{token.value}' in policy string")
        return token.value

    def _quoted(self, value: str) -> _Principal | int:
        if re.fullmatch(r"-?\d+", value, re.ASCII):
            return _integer(value)
        match = _PRINCIPAL.fullmatch(value)
        if match is None:
            raise PolicyError(f"unrecognized token '{value}' in policy string")
        return _Principal(match[1], _ROLES[match[2]])

    def _gate(self, name: str, *, depth: int) -> _Gate:
        if depth > _MAX_NESTING:
            raise PolicyError(f"policy nested more than {_MAX_NESTING} levels")
        arguments = self._arguments(depth=depth)
        if name == "and":
            arguments = [len(arguments), *arguments]
        elif name == "or":
            arguments = [1, *arguments]
        if len(arguments) < 2:
            raise PolicyError(f"expected at least two arguments to NOutOf. Given {len(arguments)}")
        return _make_gate(arguments)

    def _arguments(self, *, depth: int) -> list[_Gate | _Principal | int]:
        self._expect("(")
        if self.tokens and self.tokens[-1] == _Token("mark", ")"):
            self.tokens.pop()
            return []
        arguments = [self.argument(depth=depth)]
        while self._expect(",", ")") == ",":
            arguments.append(self.argument(depth=depth))
        return arguments


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise PolicyError(f"number of {len(digits)} digits in policy string: value out of range")
    return int(digits)


def _make_gate(arguments: Sequence[_Gate | _Principal | int]) -> _Gate:
    needed, *rest = arguments
    if not isinstance(needed, int):
        raise PolicyError("unrecognized type, expected a number")
    rules = [rule for rule in rest if not isinstance(rule, int)]
    if len(rules) != len(rest):
        raise PolicyError("unrecognized type, expected a principal or a policy, got a number")
    # Fabric allows n + 1 of n: a gate that nothing can satisfy.
    if not 0 <= needed <= len(rules) + 1:
        raise PolicyError(f"invalid t-out-of-n predicate, t {needed}, n {len(rules)}")
    return _Gate(needed, rules)


def _number(gate: _Gate, principals: list[MSPPrincipal]) -> SignaturePolicy:
    """Turn a gate into a rule; appends its principals after those of the gates inside it."""
    inner = {
        position: _number(rule, principals)
        for position, rule in enumerate(gate.rules)
        if isinstance(rule, _Gate)
    }
    rules = []
    for position, rule in enumerate(gate.rules):
        if isinstance(rule, _Gate):
            rules.append(inner[position])
        else:
            rules.append(signed_by(len(principals)))
            principals.append(role_principal(rule.msp_id, rule.role))
    return n_out_of(gate.needed, rules)
