"""Our own API: what is checked in is what its sources say, and the sources explain themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[2]
PROTOS = ROOT / "protos"
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")

# Numbers of descriptor.proto: where in a file a declaration stands.
FILE_MESSAGES, FILE_ENUMS, FILE_SERVICES = 4, 5, 6
MEMBERS = 2  # fields of a message, values of an enum, methods of a service
ONEOFS = 8


def generated(folder: Path) -> dict[str, str]:
    files = [file for pattern in GENERATED for file in folder.rglob(pattern)]
    return {str(file.relative_to(folder)): file.read_text() for file in files}


def test_generated_code_is_what_the_sources_give(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tools" / "protos.py"), str(tmp_path)]
    subprocess.run(command, check=True, timeout=60)
    assert generated(tmp_path), "the tool wrote nothing"
    stale = "the checked-in code is not of these sources; run tools/protos.py"
    assert generated(PROTOS) == generated(tmp_path), stale


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> FileDescriptorProto:
    """runtime.proto with its comments."""
    out = tmp_path_factory.mktemp("described") / "set"
    name = "treadle_runtime/v1/runtime.proto"
    include = Path(protoc.__file__).parent / "_proto"
    arguments = ["protoc", f"--proto_path={PROTOS}", f"--proto_path={include}"]
    arguments += ["--include_source_info", f"--descriptor_set_out={out}", name]
    assert protoc.main(arguments) == 0
    (file,) = FileDescriptorSet.FromString(out.read_bytes()).file
    return file


def declarations(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """Every declaration by its path in the descriptor."""
    found: dict[tuple[int, ...], str] = {}
    for kind, owners in (
        (FILE_MESSAGES, [(one.name, one.field) for one in file.message_type]),
        (FILE_ENUMS, [(one.name, one.value) for one in file.enum_type]),
        (FILE_SERVICES, [(one.name, one.method) for one in file.service]),
    ):
        for place, (name, members) in enumerate(owners):
            found[(kind, place)] = name
            for number, member in enumerate(members):
                found[(kind, place, MEMBERS, number)] = f"{name}.{member.name}"
    for place, message in enumerate(file.message_type):
        for number, oneof in enumerate(message.oneof_decl):
            found[(FILE_MESSAGES, place, ONEOFS, number)] = f"{message.name}.{oneof.name}"
    return found


def test_every_declaration_is_explained(source: FileDescriptorProto) -> None:
    commented = {
        tuple(place.path)
        for place in source.source_code_info.location
        if place.leading_comments.strip()
    }
    silent = [name for path, name in declarations(source).items() if path not in commented]
    assert not silent


def test_enums_begin_with_a_value_that_means_nothing(source: FileDescriptorProto) -> None:
    firsts = [enum.value[0].name for enum in source.enum_type]
    assert firsts
    assert all(name.endswith("_UNSPECIFIED") for name in firsts)
