"""TLS to real gRPC servers: who is trusted, who we are, and what a failed handshake is taken for."""

from typing import Any

import grpc
import httpx
import orjson
import pytest

from authproxy.grpc.channels import Channels
from authproxy.upstream.tls import TlsOptions
from tests.authproxy.grpc.test_transcoding import ask, plane_for
from tests.support.grpcserver import echo_server
from tests.support.upstreams import Certificates

AUTHORITY = Certificates()


def credentials(*names: str, demands: bool = False) -> grpc.ServerCredentials:
    pair = AUTHORITY.issue(*names)
    return grpc.ssl_server_credentials(
        [(pair.key.encode(), pair.cert.encode())],
        root_certificates=AUTHORITY.ca.encode() if demands else None,
        require_client_auth=demands,
    )


async def called(credentials: grpc.ServerCredentials, **tls: Any) -> Any:
    async with (
        echo_server(tls=credentials) as echo,
        plane_for(echo, service={"tls": {"ca": AUTHORITY.ca, **tls}}) as plane,
    ):
        return await ask(plane, body={"aString": "hi"})


async def test_a_server_that_our_authority_vouches_for() -> None:
    """By its address, or by the name that is asked for."""
    by_address = await called(credentials("127.0.0.1"))
    by_name = await called(credentials("calls.example"), sni="calls.example")
    for answer in (by_address, by_name):
        assert (answer.status, orjson.loads(answer.body)["aString"]) == (200, "hi")


async def test_a_server_that_demands_a_certificate(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gets ours, with its key from a file."""
    pair = AUTHORITY.issue("gateway@example.org")
    key = tmp_path / "client.key"
    key.write_text(pair.key)
    demanding = credentials("127.0.0.1", demands=True)
    answer = await called(demanding, cert=pair.cert, key=str(key))
    assert answer.status == 200
    assert (await called(demanding)).status in (502, 503)


@pytest.mark.parametrize(
    ("names", "tls"),
    [(("127.0.0.1",), {"ca": Certificates().ca}), (("other.example",), {})],
    ids=["another authority", "another name"],
)
async def test_who_is_not_trusted_is_not_called(names: tuple[str, ...], tls: dict[str, str]) -> None:
    """The first question of all is what the methods are, and it is not asked either."""
    answer = await called(credentials(*names), **tls)
    error = orjson.loads(answer.body)["error"]
    assert (answer.status, error["details"]["reason"]) == (502, "grpc_method")
    assert "could not be asked" in error["message"]


async def test_certificates_that_cannot_be_read() -> None:
    """Are a failure of TLS, not of the gateway."""
    channels = Channels(TlsOptions(ca="/no/such/file"))
    with pytest.raises(httpx.ConnectError, match="cannot be read"):
        channels.get(httpx.URL("https://127.0.0.1:1"))
