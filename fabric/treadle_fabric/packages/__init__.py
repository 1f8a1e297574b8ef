"""Chaincode packages of both lifecycles: reading, building, checking, unpacking.

Pure but for reading a source folder and unpacking into one (fabric-wire.md §2.6, §3.1).
"""

from treadle_fabric.packages.archive import (
    MAX_ENTRIES,
    MAX_UNPACKED_BYTES,
    Entry,
    extract_code,
    gzip_stored,
    read_archive,
    write_archive,
)
from treadle_fabric.packages.checks import check_code_package
from treadle_fabric.packages.errors import PackageFormatError
from treadle_fabric.packages.languages import (
    OWN_NUMBERS,
    PYTHON_NUMBER,
    language_name,
    language_number,
)
from treadle_fabric.packages.legacy import (
    ChaincodePackage,
    add_signature,
    build_legacy_package,
    parse_legacy_package,
    sign_package,
    wrap_code,
)
from treadle_fabric.packages.names import (
    CHAINCODE_NAME,
    CHAINCODE_VERSION,
    check_name_and_version,
)
from treadle_fabric.packages.prebuilt import (
    IMAGE,
    SERVER,
    ImageReference,
    Prebuilt,
    ServerReference,
    prebuilt_code,
    prebuilt_language,
    read_prebuilt,
)
from treadle_fabric.packages.sources import PackedSource, pack_source
from treadle_fabric.packages.v2 import (
    V2Package,
    build_v2_package,
    check_label,
    package_id,
    parse_v2_package,
)

__all__ = [
    "CHAINCODE_NAME",
    "CHAINCODE_VERSION",
    "IMAGE",
    "MAX_ENTRIES",
    "MAX_UNPACKED_BYTES",
    "OWN_NUMBERS",
    "PYTHON_NUMBER",
    "SERVER",
    "ChaincodePackage",
    "Entry",
    "ImageReference",
    "PackageFormatError",
    "PackedSource",
    "Prebuilt",
    "ServerReference",
    "V2Package",
    "add_signature",
    "build_legacy_package",
    "build_v2_package",
    "check_code_package",
    "check_label",
    "check_name_and_version",
    "extract_code",
    "gzip_stored",
    "language_name",
    "language_number",
    "pack_source",
    "package_id",
    "parse_legacy_package",
    "parse_v2_package",
    "prebuilt_code",
    "prebuilt_language",
    "read_archive",
    "read_prebuilt",
    "sign_package",
    "wrap_code",
    "write_archive",
]
