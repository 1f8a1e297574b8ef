"""Name constraints of authorities on the names of a leaf (RFC 5280 4.2.1.10, as Go checks them).

DNS and IP names are compared; an authority that constrains other kinds of names critically is
refused, which is the safe side of what Go does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from treadle_fabric.msp.errors import MSPError

_HOSTNAME: Final = re.compile(
    r"(?:\*\.)?(?:[A-Za-z0-9_:][A-Za-z0-9_:-]*\.)*[A-Za-z0-9_:][A-Za-z0-9_:-]*\.?"
)


def check_name_constraints(chain: Sequence[x509.Certificate]) -> None:
    """Check the leaf ``chain[0]`` against the constraints of the rest; raises MSPError."""
    constraints = [found for found in map(_constraints, chain[1:]) if found is not None]
    if not constraints:
        return
    names = _alternative_names(chain[0])
    if names is None:
        if _has_host_like_common_name(chain[0]):
            raise MSPError(
                "x509: issuer has name constraints but leaf doesn't have a SAN extension"
            )
        return
    for name in names:
        for constraint in constraints:
            _check_name(name, constraint)


def has_unhandled_constraints(extension: x509.Extension[x509.ExtensionType]) -> bool:
    """Whether this extension constrains names that we do not compare."""
    value = extension.value
    if not isinstance(value, x509.NameConstraints):
        return False
    subtrees = [*(value.permitted_subtrees or ()), *(value.excluded_subtrees or ())]
    return any(not isinstance(name, x509.DNSName | x509.IPAddress) for name in subtrees)


def _constraints(certificate: x509.Certificate) -> x509.NameConstraints | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return None


def _alternative_names(certificate: x509.Certificate) -> Iterable[x509.GeneralName] | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _has_host_like_common_name(certificate: x509.Certificate) -> bool:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return bool(names) and _HOSTNAME.fullmatch(str(names[-1].value)) is not None


def _check_name(name: x509.GeneralName, constraint: x509.NameConstraints) -> None:
    excluded = [tree for tree in constraint.excluded_subtrees or () if type(tree) is type(name)]
    permitted = [tree for tree in constraint.permitted_subtrees or () if type(tree) is type(name)]
    if any(_matches(name, tree) for tree in excluded):
        raise MSPError(
            "x509: a root or intermediate certificate is not authorized to sign for this name: "
            f'"{name.value}" is excluded by constraint'
        )
    if permitted and not any(_matches(name, tree) for tree in permitted):
        raise MSPError(
            "x509: a root or intermediate certificate is not authorized to sign for this name: "
            f'"{name.value}" is not permitted by any constraint'
        )


def _matches(name: x509.GeneralName, tree: x509.GeneralName) -> bool:
    value, constraint = name.value, tree.value
    if isinstance(constraint, IPv4Network | IPv6Network):
        return isinstance(value, IPv4Address | IPv6Address) and value in constraint
    if isinstance(name, x509.DNSName) and isinstance(tree, x509.DNSName):
        host, domain = name.value.lower(), tree.value.lower()
        return domain == "" or host == domain.lstrip(".") or host.endswith(f".{domain.lstrip('.')}")
    return False
