"""Which address a launched chaincode is told (fabric-wire.md §2.4)."""

import pytest
from treadle_peer.config import EndpointError, chaincode_endpoint, join_address, split_address


@pytest.mark.parametrize(
    ("given", "bound", "expected"),
    [
        ("peer0:7052", "0.0.0.0:7052", "peer0:7052"),
        (None, "10.0.0.5:7052", "10.0.0.5:7052"),
        (None, "0.0.0.0:7059", "peer0.org1:7059"),
        (None, "[::]:7059", "peer0.org1:7059"),
    ],
)
def test_cases_a_to_c(given: str | None, bound: str, expected: str) -> None:
    endpoint = chaincode_endpoint(
        chaincode_address=given, bound=bound, peer_host="peer0.org1", development=False
    )
    assert endpoint == expected


@pytest.mark.parametrize(("given", "host"), [("0.0.0.0:7052", "peer0"), (None, "0.0.0.0")])
def test_an_unspecified_host_fails_in_production_only(given: str | None, host: str) -> None:
    with pytest.raises(EndpointError, match="invalid endpoint for chaincode to connect"):
        chaincode_endpoint(
            chaincode_address=given, bound="0.0.0.0:7052", peer_host=host, development=False
        )
    fallback = chaincode_endpoint(
        chaincode_address=given, bound="0.0.0.0:7052", peer_host=host, development=True
    )
    assert fallback == "0.0.0.0:7052"


@pytest.mark.parametrize("address", ["h:1", "[::1]:7051", "127.0.0.1:0"])
def test_splitting_and_joining_agree(address: str) -> None:
    assert join_address(*split_address(address)) == address
