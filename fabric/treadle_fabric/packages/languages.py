"""Chaincode languages and their numbers in a ChaincodeSpec (fabric-wire.md §2.6).

Fabric has no number for Python. A Python package carries 5, which the open enum keeps; a Fabric
peer refuses it at launch as an unknown type, ours runs it.
"""

from __future__ import annotations

from typing import cast

from fabric_protos.peer.chaincode_pb2 import ChaincodeSpec

from treadle_fabric.packages.errors import PackageFormatError
from treadle_fabric.packages.prebuilt import PREBUILT_NUMBERS

GOLANG = "golang"
NODE = "node"
JAVA = "java"
PYTHON = "python"

PYTHON_NUMBER = 5

_NUMBERS: dict[str, int] = {
    GOLANG: ChaincodeSpec.GOLANG,
    NODE: ChaincodeSpec.NODE,
    "car": ChaincodeSpec.CAR,
    JAVA: ChaincodeSpec.JAVA,
    PYTHON: PYTHON_NUMBER,
}
_NAMES = {number: name for name, number in (*_NUMBERS.items(), *PREBUILT_NUMBERS.items())}
OWN_NUMBERS = frozenset({PYTHON_NUMBER, *PREBUILT_NUMBERS.values()})
"""Those that Fabric does not know."""


def language_number(language: str) -> ChaincodeSpec.Type.ValueType:
    """The spec type of *language* (any case); raises PackageFormatError when unknown."""
    try:
        number = _NUMBERS[language.lower()]
    except KeyError:
        raise PackageFormatError(f"Unknown chaincodeType: {language.upper()}") from None
    return cast("ChaincodeSpec.Type.ValueType", number)


def package_number(language: str) -> ChaincodeSpec.Type.ValueType:
    """As ``language_number``, and also of packages that only name what runs."""
    known = PREBUILT_NUMBERS.get(language)
    if known is None:
        return language_number(language)
    return cast("ChaincodeSpec.Type.ValueType", known)


def language_name(number: int) -> str:
    """The lower-case name of a spec type; ``undefined`` for 0, digits for unknown numbers."""
    if number == ChaincodeSpec.UNDEFINED:
        return "undefined"
    return _NAMES.get(number, str(number))
