"""The differences that are meant, at most fifteen; docs/differences.md lists them for users."""

from __future__ import annotations

from harness.differential.compare import Deliberate

MOST = 15

_NAMELESS = "INVALID_ARGUMENT: error in handling register chaincode, "
_NO_NAME = f"{_NAMELESS}chaincodeID name is empty: set CORE_CHAINCODE_ID_NAME=<name>:<version>"
_NO_ID = f"{_NAMELESS}the payload is no ChaincodeID"
_FAILED = "error in simulation: failed to execute transaction "


def _refused(text: str, chaincode: str, *, more: str = "") -> str:
    """A whole refusal by a system chaincode, as one line."""
    response = f'response {{ status: 500 message: "{text}" }}'
    return f'{response} payload: "<the same of {chaincode}>"{more}'


def _no_plugin(name: str) -> str:
    text = rf"plugin \'mine\' is not known to this peer; leave it out or name \'{name}\'"
    return _refused(text, "lscc", more=" interest { }")


DELIBERATE: tuple[Deliberate, ...] = (
    Deliberate(
        conversation="prodbuild",
        field="install[0] details",
        ours='response { status: 200 payload: "OK" }',
        reason="chaincode is built at instantiate, once for all channels, not at install",
    ),
    Deliberate(
        conversation="produnsolicited",
        field="unsolicited registration[0] details",
        ours=(
            "PERMISSION_DENIED: peer will not accept external chaincode connection "
            "probe-produnsolicited:1 (except in dev mode): it was not launched by this peer, whose "
            "own processes register on a private port; this one admits nobody; in production the "
            "peer starts the chaincode itself: instantiate or invoke it; development mode accepts "
            "processes started by hand: open probe-produnsolicited:1 for development or start the "
            "peer with --peer-chaincodedev"
        ),
        reason="a refusal must be seen by the process that is refused; Fabric says nothing",
    ),
    Deliberate(
        conversation="prodimpatient",
        field="the client[0] details",
        ours=(
            f'response {{ status: 500 message: "{_FAILED}'
            "a338791ed1db292fe7583145bf4e0e22561a29760f59f76544913c78ffb0bb26: could not launch "
            'chaincode probe-prodimpatient:1: still starting (some seconds); try again" }'
        ),
        reason="who cannot wait learns that the launch goes on",
    ),
    Deliberate(
        conversation="registernameless",
        field="nameless[0] details",
        ours=" | ".join((_NO_NAME, _NO_NAME, _NO_NAME, _NO_ID, _NO_ID)),
        reason="a refusal must be seen by the process that is refused; Fabric says nothing",
    ),
    Deliberate(
        conversation="registerduplicate",
        field="twice the second, then the first[0] details",
        ours=("type: REGISTERED | type: READY | ABORTED: replaced by <an address> at <a time>"),
        reason="restarting a chaincode under development is the normal loop: the newer serves",
    ),
    Deliberate(
        conversation="registerunknown",
        field="before the install[0] details",
        ours="silence",
        reason="a chaincode may be started before its install, and is admitted then",
    ),
    Deliberate(
        conversation="devnobody",
        field="endorsement[0].response.message",
        ours=(
            f"{_FAILED}2c6989d7590d9751d38d5c9a364f118fff6879a018f1f9cc4cda13a35f3e37a5: could not "
            "launch chaincode probe-devnobody:1: no chaincode process is connected; start yours "
            "with: CORE_CHAINCODE_ID_NAME=probe-devnobody:1 CORE_PEER_TLS_ENABLED=false "
            "<chaincode> --peer.address <chaincode address>"
        ),
        reason="under development nothing is built: the line to type is told",
    ),
    Deliberate(
        conversation="invokeopen",
        field="the finished caller[0] details",
        ours="silence",
        reason="a Go shim exits on the answer to a request of a transaction that it has finished",
    ),
    Deliberate(
        conversation="errornochannel",
        field="endorsement[0].response.message",
        ours="error in simulation: transaction returned with failure: boom",
        reason="the Python shim's ERROR lacks the channel: the client need not wait for a timeout",
    ),
    Deliberate(
        conversation="errornottext",
        field="the client[0] details",
        ours=(
            'response { status: 500 message: "error in simulation: transaction returned with '
            'failure: b\N{REPLACEMENT CHARACTER}oom" }'
        ),
        reason="the client sees what went wrong, where Fabric's answer cannot be sent",
    ),
    Deliberate(
        conversation="deployplugins",
        field="the client[0] details",
        ours=" | ".join((_no_plugin("escc"), _no_plugin("vscc"))),
        reason="Fabric endorses it; the channel stops later, or no call is endorsed",
    ),
    Deliberate(
        conversation="deploychannel",
        field="the client[0] details",
        ours=_refused(
            r"the proposal is for channel \'deploychannelb\', but asks for deploy on channel "
            r"\'deploychannel\'",
            "lscc",
            more=" interest { }",
        ),
        reason="Fabric defines the chaincode on the proposal's channel, whatever was asked for",
    ),
    Deliberate(
        conversation="configtree",
        field="the client[0] details",
        ours='response { status: 200 payload: "<the configuration of block 0>" }',
        reason="clients of 1.4 ask for it",
    ),
    Deliberate(
        conversation="valqsccwrites",
        field="codes[0] details",
        ours="ILLEGAL_WRITESET, ILLEGAL_WRITESET",
        reason="any member could overwrite any chaincode's state with one signature",
    ),
    Deliberate(
        conversation="valnochannel",
        field="codes[0] details",
        ours="VALID, BAD_CREATOR_SIGNATURE",
        reason="what Fabric says depends on the peer's own organisation; peers must agree",
    ),
)
