"""Published keys and discovery documents, as issuers send them and as they should not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.jwks import (
    MOST_KEYS,
    BadDocument,
    PublishedKeys,
    lifetime_s,
    parse_discovery,
    parse_keys,
)
from tests.support.jose import jwk, jwks

A, B, NAMELESS = jwk("RS256", "a"), jwk("RS256", "b"), jwk("RS256", "c", kid=None)
URL = "https://idp.test/.well-known/openid-configuration"


def names(found: object) -> list[str | None] | None:
    return None if found is None else [key.kid for key in found]  # type: ignore[attr-defined]


def test_keys_are_found_by_name_and_algorithm() -> None:
    """An unknown name is told from a known one that does not fit."""
    keys = parse_keys(jwks(A, B, jwk("ES256", "e"), jwk("ES256", "a")))

    assert names(keys.find("RS256", "a")) == ["a"]
    assert names(keys.find("ES256", "a")) == ["a"]
    assert names(keys.find("ES256", "b")) == []
    assert names(keys.find("RS256", "x")) is None
    assert names(keys.find("RS256", None)) == ["a", "b"]
    assert names(keys.find("HS256", "a")) == []


def test_keys_that_are_gone() -> None:
    """Another key under the same name counts as another key."""
    before, after = parse_keys(jwks(A, B)), parse_keys(jwks(B, jwk("RS256", "other", kid="a")))

    assert [key.kid for key in before - after] == ["a"]
    assert before - parse_keys(jwks(B, NAMELESS, A)) == ()


def test_key_without_a_name_may_be_meant_by_any() -> None:
    """Some issuers have one key and never name it."""
    keys = parse_keys(jwks(A, NAMELESS))

    assert names(keys.find("RS256", "a")) == ["a"]
    assert names(keys.find("RS256", "x")) == [None]
    assert names(keys.find("ES256", "x")) == []


def test_unusable_keys_are_passed_over() -> None:
    """One broken key does not take the others with it (RFC 7517 section 5)."""
    body = json.dumps({"keys": [7, None, [], {}, {"kty": "oct", "k": "AA"}, {**B, "n": "!"}, A]}).encode()

    assert names(parse_keys(body).find("RS256", None)) == ["a"]


def test_no_keys_at_all_is_an_answer() -> None:
    """An issuer that withdraws every key means it."""
    keys = parse_keys(b'{"keys": []}')

    assert len(keys) == 0
    assert keys.find("RS256", "a") is None
    assert PublishedKeys().find("RS256", None) == ()


def test_sets_have_an_end() -> None:
    """What a provider publishes fills no memory."""
    assert len(parse_keys(jwks(*[jwk("ES256", "e", kid=str(number)) for number in range(150)]))) == MOST_KEYS


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b"{}", b'{"keys": {}}', b'{"keys": "a"}', b"\xff"]
)
def test_what_is_no_set_of_keys(body: bytes) -> None:
    """An error page, or somebody else's document."""
    with pytest.raises(BadDocument):
        parse_keys(body)


def discovery(**members: Any) -> bytes:
    return json.dumps({"issuer": "https://idp.test", "jwks_uri": "https://idp.test/keys", **members}).encode()


def test_discovery_document() -> None:
    """It says who it is of, and where the keys are."""
    assert parse_discovery(discovery(), url=URL) == ("https://idp.test", "https://idp.test/keys")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        discovery(issuer=None),
        discovery(issuer=["https://idp.test"]),
        discovery(jwks_uri=7),
        discovery(jwks_uri="http://idp.test/keys"),
        discovery(jwks_uri="file:///etc/passwd"),
        discovery(jwks_uri="/keys"),
        discovery(jwks_uri="https://[::1"),
    ],
)
def test_discovery_document_that_is_refused(body: bytes) -> None:
    """Keys do not come over a less secure way than the document, nor out of a file."""
    with pytest.raises(BadDocument):
        parse_discovery(body, url=URL)


def test_keys_may_come_in_clear_where_the_document_does() -> None:
    """On a development machine."""
    found = parse_discovery(discovery(jwks_uri="http://127.0.0.1:1/keys"), url="http://127.0.0.1:1/o")

    assert found[1] == "http://127.0.0.1:1/keys"


@pytest.mark.parametrize(
    ("cache_control", "age", "lifetime"),
    [
        ("", "", 600),
        ("public", "", 600),
        ("max-age=300", "", 300),
        ("public, MAX-AGE=300, must-revalidate", "", 300),
        ('max-age="300"', "", 300),
        ("max-age=300", "100", 200),
        ("max-age=300", "900", 60),
        ("max-age=300", "x", 300),
        ("max-age=300", "²", 300),
        ("max-age=300", "9" * 5000, 300),
        ("max-age=0", "", 60),
        ("max-age=-5", "", 600),
        ("max-age=999999999", "", 86400),
        ("max-age=" + "9" * 5000, "", 600),
        ("s-max-age=7", "", 600),
        ("no-store", "", 60),
        ("no-cache, max-age=3600", "", 60),
    ],
)
def test_lifetime(cache_control: str, age: str, lifetime: float) -> None:
    """As the answer says, within bounds; ten minutes where it says nothing that can be read."""
    assert lifetime_s(cache_control, age, default=600, least=60, most=86400) == lifetime


@given(st.binary(max_size=100), st.text(max_size=30), st.text(max_size=12))
def test_any_document_is_survived(body: bytes, cache_control: str, age: str) -> None:
    """Either an answer or BadDocument; always a lifetime within its bounds."""
    for parse in (parse_keys, lambda body: parse_discovery(body, url=URL)):
        with pytest.raises(BadDocument):
            parse(body)
    assert 60 <= lifetime_s(cache_control, age, default=600, least=60, most=86400) <= 86400
