"""Forged and malformed tokens at the socket: one answer for all of them, and not a word of them in the log."""

import time
from typing import Any

import orjson
import pytest
from jwt.algorithms import get_default_algorithms

from authproxy.admission import Gatekeeper
from authproxy.authenticate import Authenticator, NoStore
from authproxy.changes import Changes
from authproxy.keyring import KeyRing
from authproxy.keyset import FetchFailed
from authproxy.keysets import KeySets
from authproxy.verifier import TokenVerifier
from tests.support.callers import PEPPER
from tests.support.gateway import Answer, RawClient, data_plane, document, route
from tests.support.jose import SECRET, jwk, pem, private, segment, signed, token

CLOSED = document(route(path="/", auth={"level": "user"}, respond={"status": 204}))
RING = KeyRing.fixed(pem(private("ES256")), "ES256")


def said(**members: Any) -> dict[str, Any]:
    return {"sub": "7", "exp": int(time.time()) + 600, **members}


def hs256(header: dict[str, Any], secret: bytes) -> bytes:
    content = segment(header) + b"." + segment(said())
    return content + b"." + segment(get_default_algorithms()["HS256"].sign(content, secret))


def forgeries() -> dict[str, bytes]:
    """Everything that is known to have been accepted somewhere."""
    right = RING.sign_bytes(said())
    head, body, signature = right.split(b".")
    attacker, bare = private("ES256", "attacker"), segment({"alg": "none"}) + b"." + segment(said()) + b"."
    shown = RING.public_jwks()["keys"][0]
    kid = {"kid": shown["kid"]}
    return {
        "no signature": bare,
        "a signature of none": bare + signature,
        "a signature cut off": head + b"." + body + b".",
        "other claims": b".".join((head, segment(said(sub="1")), signature)),
        "the public key as a secret": hs256({"alg": "HS256", **kid}, orjson.dumps(shown)),
        "its coordinate as a secret": hs256({"alg": "HS256", **kid}, shown["x"].encode()),
        "an empty secret": hs256({"alg": "HS256"}, b""),
        "a key of its own": token(
            said(), key=attacker, algorithm="ES256", jwk=jwk("ES256", "attacker"), **kid
        ),
        "an address of its own": token(said(), key=attacker, algorithm="ES256", jku="http://127.0.0.1:1/"),
        "a certificate of its own": token(said(), key=attacker, algorithm="ES256", x5u="http://127.0.0.1:1/"),
        "a file as key": hs256({"alg": "HS256", "kid": "../../../dev/null"}, b""),
        "a query as key": hs256({"alg": "HS256", "kid": "' UNION SELECT 'k"}, b"k"),
        "a psychic signature": head + b"." + body + b"." + segment(bytes(64)),
        "two subjects": signed({"alg": "HS256"}, b'{"sub":"7","sub":"1","exp":9999999999}'),
        "five parts": b".".join([segment({"alg": "dir", "enc": "A128GCM"})] * 5),
        "two parts": head + b"." + body,
        "one part": head,
        "padding": right + b"=",
        "nothing but points": b"..",
        "rubbish": b"\xf0\x9f\x98\x80",
        "a refresh token": RING.sign_bytes(said(token_type="refresh")),
        "an identity token": RING.sign_bytes(said(token_type="identity")),
        "another audience": RING.sign_bytes(said(aud="orders")),
        "another issuer": RING.sign_bytes(said(iss="https://evil.test")),
        "no end": RING.sign_bytes({"sub": "7"}),
        "an end in words": RING.sign_bytes(said(exp="9999999999")),
        "for ever": RING.sign_bytes(said(exp=1e300)),
        "tomorrow": RING.sign_bytes(said(nbf=int(time.time()) + 86_400)),
        "nobody": RING.sign_bytes(said(sub="")),
        "too long": RING.sign_bytes(said(pad="x" * 16_384)),
    }


def keeper() -> Gatekeeper:
    async def nowhere(_url: str) -> Any:
        raise FetchFailed("nothing is fetched here")

    verifier = TokenVerifier(
        issuer="torana",
        keyring=lambda: RING,
        key_sets=KeySets(nowhere, clock=time.monotonic),
        wall_clock=time.time,
    )
    known = Authenticator(
        verifier=verifier, store=NoStore(), changes=Changes(), pepper=PEPPER, wall_clock=time.time
    )
    return Gatekeeper(known, realm="torana", pepper=PEPPER, mint=lambda *_: None, report=lambda _: None)


def shape(answer: Answer) -> Any:
    """What is left of an answer without what differs between any two."""
    told = orjson.loads(answer.body)
    del told["request_id"], told["timestamp"]
    varying = ("x-request-id", "date", "traceparent")
    return answer.status, told, sorted(pair for pair in answer.headers if pair[0] not in varying)


async def test_every_forgery_gets_the_same_answer(caplog: pytest.LogCaptureFixture) -> None:
    """401, that the token is invalid, how one signs in; nothing that tells one forgery from another."""
    async with data_plane(CLOSED, keeper=keeper()) as plane, RawClient(plane.port) as client:
        right = RING.sign_bytes(said()).decode()
        assert (await client.get("/", f"Authorization: Bearer {right}")).status == 204
        shapes = {
            name: shape(await client.get("/", f"Authorization: Bearer {made.decode('latin-1')}"))
            for name, made in forgeries().items()
        }
        expired = await client.get(
            "/", f"Authorization: Bearer {RING.sign_bytes(said(exp=int(time.time()) - 1)).decode()}"
        )
        assert (await client.get("/", f"Authorization: Bearer {right}")).status == 204

    usual = shapes["no signature"]
    assert {name for name, found in shapes.items() if found != usual} == set()
    assert (usual[0], usual[1]["error"]["code"], usual[1]["error"]["details"]["reason"]) == (
        401,
        "AUTH_ERROR",
        "invalid",
    )
    assert any(name == "www-authenticate" and 'error="invalid_token"' in value for name, value in usual[2])
    assert orjson.loads(expired.body)["error"]["details"]["reason"] == "expired"
    assert all(made.decode("latin-1") not in caplog.text for made in forgeries().values())
    assert SECRET not in caplog.text
