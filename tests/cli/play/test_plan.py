"""YAML to a plan: every mistake is found, placed, and answered with what to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from treadle_cli.play import ChannelModel, Mode, Plan, PlayError, make_plan

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "play"

HEAD = "apiVersion: treadle.dev/v1alpha1\n"
PEER = HEAD + "kind: Peer\nmetadata: {name: peer0}\nspec: {mspID: Org1MSP}\n"
PACKAGE = (
    HEAD + "kind: ChaincodePackage\nmetadata: {name: asset-1}\n"
    'spec:\n  name: asset\n  version: "1"\n  language: node\n'
    "  source: {files: {index.js: 'x'}}\n  peers: [{name: peer0}]\n"
)
INSTANTIATION = (
    HEAD + "kind: ChaincodeInstantiation\nmetadata: {name: asset}\n"
    "spec:\n  packageRef: {name: asset-1}\n  channel: mychannel\n"
)

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(*documents: str) -> Path:
        file = tmp_path / "net.yaml"
        file.write_text("---\n".join(documents))
        return file

    return make


def problems(file: Path) -> list[str]:
    with pytest.raises(PlayError) as refused:
        make_plan(file)
    return str(refused.value).splitlines()


@pytest.mark.parametrize("name", ["production", "development", "mixed"])
def test_the_examples_are_sound(name: str) -> None:
    plan = make_plan(EXAMPLES / name)
    assert plan.steps
    assert plan.warning is None


def test_the_smallest_files_get_the_defaults(write: Write) -> None:
    plan = make_plan(write(PACKAGE, INSTANTIATION))
    assert plan.peer.name == "peer0"
    assert plan.peer.mode is Mode.PRODUCTION
    assert plan.peer.channels == (ChannelModel("mychannel", "V1_4_2"),)
    assert plan.steps[0].package.ccid == "asset:1"
    assert plan.steps[0].instantiation.args == ()


def test_a_folder_is_read_in_the_order_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(INSTANTIATION)
    (tmp_path / "a.yml").write_text(PACKAGE)
    (tmp_path / "notes.txt").write_text("no yaml: [")
    assert [step.instantiation.resource for step in make_plan(tmp_path).steps] == ["asset"]


def test_several_files_are_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(INSTANTIATION)
    (tmp_path / "a.yaml").write_text(PACKAGE)
    plan = make_plan(tmp_path / "b.yaml", tmp_path / "a.yaml")
    assert [step.instantiation.resource for step in plan.steps] == ["asset"]
    assert make_plan(tmp_path, tmp_path / "a.yaml").packages == plan.packages


def test_a_folder_of_folders_names_those_that_can_be_played() -> None:
    with pytest.raises(PlayError, match="name one of development, mixed, production"):
        make_plan(EXAMPLES)


def test_a_misspelt_field_is_answered_with_the_nearest_one(write: Write) -> None:
    file = write(PEER.replace("mspID", "mspId"))
    assert problems(file) == [
        "net.yaml:4: Peer peer0: spec.mspId: unknown field; did you mean mspID?"
    ]


def test_all_mistakes_are_found_at_once(write: Write) -> None:
    broken = PACKAGE.replace("language: node", "language: golnag").replace('"1"', "1.0")
    found = problems(write(broken, INSTANTIATION.replace("asset-1", "aset-1")))
    assert any("'golnag' is not allowed; did you mean golang?" in line for line in found)
    assert any('want text, got 1.0; write "1.0"' in line for line in found)


def test_a_reference_to_nothing_names_what_there_is(write: Write) -> None:
    found = problems(write(PACKAGE, INSTANTIATION.replace("asset-1", "aset-1")))
    assert found == [
        "net.yaml:15: ChaincodeInstantiation asset: there is no ChaincodePackage aset-1; "
        "did you mean asset-1?"
    ]


def test_a_channel_that_the_peer_lacks_is_named(write: Write) -> None:
    found = problems(write(PEER, PACKAGE, INSTANTIATION.replace("mychannel", "mychanel")))
    assert "Peer peer0 has no channel mychanel; did you mean mychannel?" in found[0]


def test_a_peer_that_is_not_there_is_named(write: Write) -> None:
    found = problems(write(PEER, PACKAGE.replace("peer0", "peer1")))
    assert "there is no Peer peer1; did you mean peer0?" in found[0]


@pytest.mark.parametrize(
    ("kind", "said"),
    [("Pear", "unknown kind 'Pear'; did you mean Peer?"), ("Deployment", "unknown kind")],
)
def test_an_unknown_kind_is_refused(kind: str, said: str, write: Write) -> None:
    assert said in problems(write(PEER.replace("kind: Peer", f"kind: {kind}")))[0]


def test_another_api_version_is_refused(write: Write) -> None:
    found = problems(write(PEER.replace("v1alpha1", "v1")))
    assert found == ["net.yaml:1: apiVersion is 'treadle.dev/v1'; write treadle.dev/v1alpha1"]


def test_cluster_fields_are_warned_about_once(write: Write) -> None:
    peer = PEER.replace("spec: {mspID: Org1MSP}", "spec: {storage: {size: 1Gi}, image: x}")
    plan = make_plan(write(peer, PACKAGE, INSTANTIATION + "  runtime: {replicas: 2}\n"))
    assert plan.warning == (
        "these fields mean nothing without a cluster and are ignored: "
        "Peer spec.storage, Peer spec.image, ChaincodeInstantiation spec.runtime"
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("{files: {index.js: 'x'}}", "{image: x@sha256:y}", "it needs a cluster"),
        ("{files: {index.js: 'x'}}", "{}", "give exactly one of files, configMap, archive"),
        (
            "{files: {index.js: 'x'}}",
            "{files: {a: b}, archive: {url: c}}",
            "give exactly one of files, configMap, archive; got files, archive",
        ),
        ("{files: {index.js: 'x'}}", "{configMap: {name: code}}", "no ConfigMap code"),
        ("  language: node\n", "", "language: it is missing; write one of golang, node"),
        ("  name: asset\n", "", "spec.name: it is missing"),
        ("peers: [{name: peer0}]", "peers: peer0", "want a list"),
        ("  name: asset\n", "  name: as:set\n", "spec.name: invalid chaincode name 'as:set'"),
        ('"1"', '"1:0"', "spec.version: invalid chaincode version '1:0'"),
        (
            "{files: {index.js: 'x'}}",
            "{archive: {url: ./nope}}",
            "spec.source.archive.url: there is no file or folder",
        ),
        (
            "{files: {index.js: 'x'}}",
            "{archive: {url: 'https://example.org/code.tar.gz'}}",
            "spec.source.archive.url: play downloads nothing",
        ),
        ("{index.js: 'x'}", "{../index.js: 'x'}", "the file name '../index.js' leaves the folder"),
    ],
)
def test_a_package_that_cannot_be_packed_is_refused(
    before: str, after: str, said: str, write: Write
) -> None:
    assert any(said in line for line in problems(write(PACKAGE.replace(before, after))))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lifecycle: V2", "play speaks the Legacy lifecycle only"),
        ("endorsementPolicy: AND(", "spec.endorsementPolicy: no policy"),
        ("init: {args: [1]}", 'want a list of text; write "1" in quotes'),
        ("init: {arg: []}", "unknown field; did you mean args?"),
        ("mode: Dev", "'Dev' is not allowed"),
        ("mode: dev", "'dev' is not allowed; did you mean Development?"),
        ("mode: x", "'x' is not allowed; known: Production, Development"),
        ("collections: [{name: c}]", "spec.collections[0].policy: it is missing"),
        ("collections: [{policy: x}]", "spec.collections[0].name: it is missing"),
        ("collections: [{name: c, policy: x}]", "spec.collections: invalid policy x"),
        ("collections: [{name: c, polcy: x}]", "spec.collections[0].polcy: unknown field; did"),
    ],
)
def test_an_instantiation_that_cannot_work_is_refused(line: str, said: str, write: Write) -> None:
    assert any(said in one for one in problems(write(PACKAGE, INSTANTIATION + f"  {line}\n")))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("{ordering: {external: {endpoints: []}}}", "play runs embedded ordering only"),
        ("{tls: {enabled: false}}", "false is for mode Development only"),
        ("{chaincode: {executeTimeout: soon}}", "write for example 30s or 5m"),
        ("{channels: [{name: a}, {name: a}]}", "channel a is named twice"),
        ("{channels: [{name: MyChan}]}", "channels[0].name: 'MyChan' contains illegal characters"),
        ("{mspID: a b/c}", "spec.mspID: 'a b/c' contains illegal characters"),
        ("{channels: [{name: a, capabilities: V9}]}", "'V9' is not allowed"),
        ("[]", "want a mapping of fields"),
    ],
)
def test_a_peer_that_cannot_run_is_refused(spec: str, said: str, write: Write) -> None:
    found = problems(write(PEER.replace("{mspID: Org1MSP}", spec)))
    assert any(said in line for line in found)


def test_a_channel_of_the_newer_lifecycle_knows_no_instantiate(write: Write) -> None:
    peer = PEER.replace("{mspID: Org1MSP}", "{channels: [{name: mychannel, capabilities: V2_0}]}")
    assert (
        "which know no instantiate; write V1_4_2"
        in problems(write(peer, PACKAGE, INSTANTIATION))[0]
    )


def test_one_process_has_one_mode(write: Write) -> None:
    peer = PEER.replace("{mspID: Org1MSP}", "{channels: [{name: mychannel}, {name: b}]}")
    second = INSTANTIATION.replace("{name: asset}", "{name: other}").replace("mychannel", "b")
    found = problems(write(peer, PACKAGE, INSTANTIATION, second + "  mode: Development\n"))
    assert "asset:1 is in mode Production for asset; one process, one mode" in found[0]


def test_two_instantiations_of_one_chaincode_on_one_channel_are_refused(write: Write) -> None:
    second = INSTANTIATION.replace("{name: asset}", "{name: other}")
    found = problems(write(PACKAGE, INSTANTIATION, second))
    assert "asset on mychannel is already instantiated by asset" in found[0]


def test_the_same_resource_twice_is_refused(write: Write) -> None:
    assert "ChaincodePackage asset-1 is there twice" in problems(write(PACKAGE, PACKAGE))[0]


def test_two_peers_are_refused(write: Write) -> None:
    found = problems(write(PEER, PEER.replace("peer0", "peer1")))
    assert found == ["net.yaml:6: play runs one Peer; the files hold peer0, peer1"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", "not YAML"),
        ("just text", "want a resource"),
        ("", "nothing to play"),
        ("\x00", "not YAML"),
    ],
)
def test_files_that_hold_no_resources_are_refused(content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(content)
    assert said in problems(file)[0]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "there is no such file or folder" in problems(tmp_path / "none.yaml")[0]


def test_the_plan_is_a_value(write: Write) -> None:
    file = write(PACKAGE, INSTANTIATION)
    first, second = make_plan(file), make_plan(file)
    assert isinstance(first, Plan)
    assert first == second
