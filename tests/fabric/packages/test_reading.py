"""Reading packages: detection, hashes, and the names of what is broken."""

from __future__ import annotations

import hashlib
import tarfile

import pytest
from fabric_protos.common.common_pb2 import ChannelHeader, Envelope, Header, Payload
from fabric_protos.peer.chaincode_pb2 import (
    CDSData,
    ChaincodeDeploymentSpec,
    ChaincodeID,
    ChaincodeSpec,
)
from fabric_protos.peer.signed_cc_dep_spec_pb2 import SignedChaincodeDeploymentSpec
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.packages import (
    PackageFormatError,
    add_signature,
    build_v2_package,
    check_code_package,
    check_label,
    parse_legacy_package,
    parse_v2_package,
    sign_package,
    wrap_code,
    write_archive,
)

POLICY = b"\x12\x02\x08\x00"


class Owner:
    def __init__(self, name: bytes) -> None:
        self.name = name

    def serialize(self) -> bytes:
        return self.name

    def sign(self, message: bytes) -> bytes:
        return hashlib.sha256(self.name + message).digest()


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


@pytest.fixture
def cds():
    return wrap_code(name="asset", version="1.0", language="node", path="p", code=b"code")


def test_a_plain_package_has_fabrics_hashes(cds):
    package = parse_legacy_package(cds)
    code, metadata = sha(b"code"), sha(b"asset", b"1.0")
    assert package.data == CDSData(hash=code, metadatahash=metadata).SerializeToString()
    assert package.id == sha(code, metadata)
    assert package.raw == package.deployment_spec == cds
    assert (package.instantiation_policy, package.owner_endorsements) == (b"", ())


def test_a_signed_package_has_fabrics_hashes(cds):
    raw = sign_package(deployment_spec=cds, instantiation_policy=POLICY, owner=Owner(b"one"))
    package = parse_legacy_package(add_signature(raw, Owner(b"two")))
    assert package.signed
    assert package.deployment_spec == cds
    assert package.instantiation_policy == POLICY
    code, metadata, owners = sha(b"code"), sha(b"asset", b"1.0"), sha(POLICY, b"one", b"two")
    assert package.id == sha(code, metadata, owners)
    assert package.data == b"".join(
        bytes((number << 3 | 2, 32)) + value
        for number, value in ((1, code), (2, metadata), (3, owners))
    )
    first, second = package.owner_endorsements
    assert first.signature == Owner(b"one").sign(cds + POLICY + b"one")
    assert second.signature == Owner(b"two").sign(cds + POLICY + b"two")


def test_a_signed_package_may_have_no_owner(cds):
    raw = sign_package(deployment_spec=cds, instantiation_policy=POLICY)
    assert parse_legacy_package(raw).owner_endorsements == ()


def test_a_plain_package_takes_no_signature(cds):
    with pytest.raises(PackageFormatError, match="invalid signed deployment spec"):
        add_signature(cds, Owner(b"one"))


def test_fields_of_older_versions_are_kept(cds):
    # 1.4 wrote effective_date (2) and exec_env (4) into a deployment spec.
    old = cds + b"\x12\x02\x08\x01" + b"\x20\x01"
    package = parse_legacy_package(old)
    assert package.deployment_spec == old
    assert package.id == parse_legacy_package(cds).id


def test_python_has_a_number_of_its_own():
    raw = wrap_code(name="a", version="1", language="python", path="", code=b"")
    assert ChaincodeDeploymentSpec.FromString(raw).chaincode_spec.type == 5
    assert parse_legacy_package(raw).language == "python"


def test_a_package_of_no_language_says_so():
    spec = ChaincodeSpec(chaincode_id=ChaincodeID(name="a", version="1"))
    raw = ChaincodeDeploymentSpec(chaincode_spec=spec).SerializeToString()
    assert parse_legacy_package(raw).language == "undefined"
    with pytest.raises(PackageFormatError, match="Unknown chaincodeType: UNDEFINED"):
        check_code_package("undefined", b"")


def envelope(signed, *, kind=6):
    header = Header(channel_header=ChannelHeader(type=kind).SerializeToString())
    payload = Payload(header=header, data=signed.SerializeToString())
    return Envelope(payload=payload.SerializeToString()).SerializeToString()


@pytest.mark.parametrize("kind", ["type", "policy", "spec"])
def test_envelopes_that_are_no_package(kind):
    # Bytes that are no UTF-8: the envelope must not pass for a plain package either.
    cds = wrap_code(name="asset", version="1.0", language="node", path="p", code=b"\xff")
    signed = SignedChaincodeDeploymentSpec(
        chaincode_deployment_spec=b"" if kind == "spec" else cds,
        instantiation_policy=b"" if kind == "policy" else POLICY,
    )
    with pytest.raises(PackageFormatError, match="could not unmarshal chaincode package to CDS"):
        parse_legacy_package(envelope(signed, kind=3 if kind == "type" else 6))


def test_a_name_that_cannot_be_printed_marks_garbage():
    raw = wrap_code(name="a\x01b", version="1", language="node", path="", code=b"")
    with pytest.raises(PackageFormatError, match="could not unmarshal chaincode package"):
        parse_legacy_package(raw)


@given(st.binary(max_size=100))
def test_garbage_raises_nothing_but_the_package_error(data):
    for read in (parse_legacy_package, parse_v2_package):
        try:
            read(data)
        except PackageFormatError:
            continue


def v2(**files):
    names = {"metadata": "metadata.json", "code": "code.tar.gz", "extra": "extra.txt"}
    return write_archive({names[key]: content for key, content in files.items()})


METADATA = b'{"path":"p","type":"golang","label":"l"}'


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"no gzip", "error reading as gzip stream"),
        (v2(metadata=METADATA), "did not find a code package inside the package"),
        (v2(code=b"x"), r"did not find any package metadata \(missing metadata.json\)"),
        (v2(code=b"x", metadata=b"{"), "could not unmarshal metadata.json as json"),
        (v2(code=b"x", metadata=b"[]"), "could not unmarshal metadata.json as json"),
        (v2(code=b"x", metadata=b'{"label": 1}'), "could not unmarshal metadata.json as json"),
        (v2(code=b"x", metadata=b"{}"), "invalid label ''. Label must be non-empty"),
        (v2(code=b"x", metadata=b'{"label":"_a"}'), "invalid label '_a'"),
    ],
)
def test_broken_v2_packages_are_named_as_fabric_names_them(raw, text):
    with pytest.raises(PackageFormatError, match=text):
        parse_v2_package(raw)


def test_v2_packages_may_hold_more_and_spell_keys_differently():
    raw = v2(code=b"x", extra=b"y", metadata=b'{"Label":"l","Type":"ccaas","other":1}')
    package = parse_v2_package(raw)
    assert (package.label, package.type, package.path) == ("l", "ccaas", "")


def test_v2_packages_hold_only_regular_files(tar):
    raw = tar(
        ("metadata.json", 0o644, METADATA, tarfile.REGTYPE),
        ("code.tar.gz", 0o644, b"", tarfile.DIRTYPE),
    )
    with pytest.raises(PackageFormatError, match=r"tar entry code.tar.gz is not a regular file"):
        parse_v2_package(raw)


@pytest.mark.parametrize("label", ["a", "asset_1.0-x+y", "9"])
def test_good_labels(label):
    check_label(label)
    assert parse_v2_package(
        build_v2_package(label=label, language="golang", path="", code=b"x")
    ).package_id.startswith(f"{label}:")


@pytest.mark.parametrize("label", ["", ".a", "a:b", "a b", "ä", "a\n"])
def test_bad_labels(label):
    with pytest.raises(PackageFormatError, match="invalid label"):
        check_label(label)
