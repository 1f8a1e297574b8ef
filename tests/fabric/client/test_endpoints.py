"""Addresses, gRPC settings and the hash that binds a request to a connection."""

from __future__ import annotations

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from treadle_fabric.client import Endpoint, TLSOptions, parse_address
from treadle_fabric.client.endpoints import channel_options
from treadle_fabric.identity import CertificateAuthority


def test_an_address_is_split_into_host_and_port() -> None:
    endpoint = Endpoint(address="[::1]:7051")
    assert (endpoint.host, endpoint.port) == ("::1", 7051)


def test_the_server_name_is_the_host_unless_overridden() -> None:
    assert Endpoint(address="peer0:7051").server_name == "peer0"
    tls = TLSOptions(root_certificates=b"", server_name="other")
    assert Endpoint(address="peer0:7051", tls=tls).server_name == "other"


@pytest.mark.parametrize("text", ["grpcs://peer0:7051", "grpc://peer0:7051", "peer0:7051"])
def test_the_urls_of_connection_profiles_are_addresses(text: str) -> None:
    assert parse_address(text) == "peer0:7051"


def test_a_proxy_is_never_used_for_this_machine() -> None:
    assert ("grpc.enable_http_proxy", 0) in channel_options(Endpoint(address="127.0.0.1:7051"))
    assert ("grpc.enable_http_proxy", 0) in channel_options(Endpoint(address="localhost:7051"))
    assert ("grpc.enable_http_proxy", 0) not in channel_options(Endpoint(address="peer0:7051"))


def test_without_a_client_certificate_there_is_no_certificate_hash() -> None:
    assert Endpoint(address="a:1").tls_cert_hash == b""
    assert Endpoint(address="a:1", tls=TLSOptions(root_certificates=b"x")).tls_cert_hash == b""


def test_the_certificate_hash_is_that_of_the_leafs_der() -> None:
    authority = CertificateAuthority.create(common_name="tls", organization="o")
    issued = authority.issue(common_name="me", client=True)
    tls = TLSOptions(
        root_certificates=authority.certificate_pem,
        client_certificate=issued.certificate_pem + authority.certificate_pem,
        client_key=issued.key_pem,
    )
    der = x509.load_pem_x509_certificate(issued.certificate_pem).public_bytes(Encoding.DER)
    assert Endpoint(address="a:1", tls=tls).tls_cert_hash == hashlib.sha256(der).digest()
