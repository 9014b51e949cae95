"""Tokens taken apart: one spelling of one meaning, or nothing."""

import json
import sys
from contextlib import suppress
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy import jws
from authproxy.jws import LONGEST_TOKEN, Malformed
from tests.support.jose import claims, segment, signed, token

PLAIN = {"alg": "HS256"}


def why(data: bytes) -> str:
    with pytest.raises(Malformed) as raised:
        jws.parse(data)
    return raised.value.why


def test_token_is_taken_apart() -> None:
    """Header, claims, what was signed, and the signature."""
    made = token(claims(a=[1, {"b": None}]), kid="k1", typ="at+jwt")
    parsed = jws.parse(made)

    assert parsed.header == ("HS256", "k1")
    assert parsed.claims == claims(a=[1, {"b": None}])
    assert parsed.signed == made.rpartition(b".")[0]
    assert segment(parsed.signature) == made.rpartition(b".")[2]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not_a_token"),
        (b".", "not_a_token"),
        (b"..", "not_a_token"),
        (b"not a token", "not_a_token"),
        (b"a.b", "unsigned"),
        (b"a.b.", "unsigned"),
        (b"a.b.c.d.e", "bad_base64"),
        (b"a" * (LONGEST_TOKEN + 1), "too_long"),
        (b"\xff\xfe.\x00.\x80", "bad_base64"),
    ],
)
def test_what_is_no_token(data: bytes, reason: str) -> None:
    """Any bytes are refused with a reason."""
    assert why(data) == reason


def test_encrypted_token_is_refused() -> None:
    """Five segments (RFC 7516) are no signed token."""
    assert why(b".".join([segment({"alg": "dir", "enc": "A128GCM"})] * 5)) == "extension"
    assert why(b".".join([segment({"alg": "dir"})] * 5)) == "bad_base64"


@pytest.mark.parametrize("spoilt", [b"=", b"==", b"+", b"/", b"\n", b" ", b"*", b"\xc3"])
def test_other_alphabets_are_refused(spoilt: bytes) -> None:
    """Padding, the plain base64 alphabet and white space would make two spellings of one token."""
    head, body, signature = token().split(b".")

    assert why(b".".join((head, body, signature + spoilt))) == "bad_base64"
    assert why(b".".join((head, spoilt + body, signature))) == "bad_base64"


def test_stray_bits_are_refused() -> None:
    """The last character of a signature has bits that decode to nothing (malleability)."""
    head, body, signature = token().split(b".")
    digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = digits[digits.index(signature[-1]) ^ 1]

    assert why(b".".join((head, body, signature[:-1] + bytes([other])))) == "bad_base64"


@given(st.binary(min_size=1, max_size=70))
def test_base64url_has_one_spelling(data: bytes) -> None:
    """What is encoded is decoded, as others do it."""
    assert jws.base64url(data) == segment(data)
    assert jws.unbase64url(jws.base64url(data)) == data


@given(st.text(alphabet="ABgw_-+/=.", min_size=1, max_size=9).map(str.encode))
def test_whatever_is_decoded_encodes_to_itself(text: bytes) -> None:
    """No second spelling is read."""
    try:
        data = jws.unbase64url(text)
    except Malformed:
        return
    assert jws.base64url(data) == text


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({}, "bad_algorithm"),
        ({"alg": None}, "bad_algorithm"),
        ({"alg": ["HS256"]}, "bad_algorithm"),
        ({"alg": {"HS256": 1}}, "bad_algorithm"),
        ({**PLAIN, "kid": 7}, "bad_kid"),
        ({**PLAIN, "kid": ["a"]}, "bad_kid"),
        ({**PLAIN, "kid": {}}, "bad_kid"),
        ({**PLAIN, "kid": ""}, "bad_kid"),
        ({**PLAIN, "kid": "k" * 257}, "bad_kid"),
        ({**PLAIN, "crit": ["exp"]}, "extension"),
        ({**PLAIN, "crit": []}, "extension"),
        ({**PLAIN, "crit": None}, "extension"),
        ({**PLAIN, "b64": False}, "extension"),
        ({**PLAIN, "zip": "DEF"}, "extension"),
        ({**PLAIN, "enc": "A128GCM"}, "extension"),
        ({**PLAIN, "typ": "logout+jwt"}, "wrong_type"),
        ({**PLAIN, "typ": "dpop+jwt"}, "wrong_type"),
        ({**PLAIN, "typ": "JWE"}, "wrong_type"),
        ({**PLAIN, "typ": 1}, "wrong_type"),
        ({**PLAIN, "typ": None}, "wrong_type"),
    ],
)
def test_header_that_is_not_understood(header: dict[str, Any], reason: str) -> None:
    """Names and types that mean something else, extensions that must be understood."""
    assert why(signed(header, claims())) == reason


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/jwt"])
def test_types_of_access_tokens(typ: str) -> None:
    """RFC 7519 section 5.1 and RFC 9068 section 2.1, in any case."""
    assert jws.parse(token(typ=typ)).header.alg == "HS256"


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "x5t"])
def test_keys_that_a_header_brings_are_passed_over(name: str) -> None:
    """They neither matter nor harm (RFC 7515 section 4.1 lets an implementation ignore them)."""
    assert jws.parse(token(**{name: "https://evil.test/keys"})).header == ("HS256", None)


BROKEN = [
    (b"", "not_a_token"),
    (b"{", "bad_json"),
    (b"null", "not_an_object"),
    (b"[]", "not_an_object"),
    (b'"text"', "not_an_object"),
    (b"\xff{}", "bad_json"),
    (b"\xef\xbb\xbf{}", "bad_json"),
    ('{"a":1}'.encode("utf-16"), "bad_json"),
    (b'{"alg":"HS256",}', "bad_json"),
    (b'{"alg":"HS256"} ', None),
    (b'{"alg":"HS256"}{}', "bad_json"),
    (b'{"alg":"HS256","a":NaN}', "bad_json"),
    (b'{"alg":"HS256","a":Infinity}', "bad_json"),
    (b'{"alg":"HS256","a":-Infinity}', "bad_json"),
    (b'{"alg":"HS256","a":1e999}', "bad_json"),
    (b'{"alg":"HS256","a":"\\ud800"}', "bad_json"),
    (b'{"alg":"HS256","a":"\xed\xa0\x80"}', "bad_json"),
    (b'{"alg":"HS256","a":"\x00"}', "bad_json"),
    (b'{"alg":"HS256","a":' + b"[" * 2000 + b"]" * 2000 + b"}", "bad_json"),
    (b'{"alg":"HS256","alg":"none"}', "duplicate_member"),
    (b'{"alg":"none","alg":"HS256"}', "duplicate_member"),
    (b'{"alg":"HS256","\\u0061lg":"none"}', "duplicate_member"),
    (b'{"alg":"HS256" , "a" : 1 , "a" : 1}', "duplicate_member"),
    (b'{"alg":"HS256","a":"\\\\","a":1}', "duplicate_member"),
    (b'{"alg":"HS256","a":{"b":1,"b":2}}', "duplicate_member"),
    (b'{"alg":"HS256","a":[[{"b":1},{"b":1,"b":2}]]}', "duplicate_member"),
    (b'{"alg":"HS256","a":"","":"","":""}', "duplicate_member"),
]


@pytest.mark.parametrize(("data", "reason"), BROKEN)
def test_json_that_is_read_in_two_ways(data: bytes, reason: str | None) -> None:
    """In the header and in the payload alike."""
    if reason is None:
        assert jws.parse(signed(data, data)).header.alg == "HS256"
        return
    assert why(signed(data, claims())) == reason
    assert why(signed(PLAIN, data)) == reason


texts = st.text() | st.text(alphabet='a":{} ', max_size=4)
members = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(texts, members, max_size=6), st.booleans())
def test_object_without_duplicates_is_read(said: dict[str, Any], ascii_only: bool) -> None:
    """Whatever is in the strings, escaped or not, and however it is spaced."""
    body = json.dumps(said, ensure_ascii=ascii_only, indent=1 if ascii_only else None)

    assert jws.parse(signed(PLAIN, body)).claims == said


@given(st.dictionaries(texts, members, min_size=1, max_size=4), st.data())
def test_any_duplicate_is_found(said: dict[str, Any], data: st.DataObject) -> None:
    """Wherever the second one stands, and even if it says the same."""
    colons = st.sampled_from([":", " :", ": ", "\n:"])
    parts = [f"{json.dumps(name)}{data.draw(colons)}{json.dumps(value)}" for name, value in said.items()]
    name, value = data.draw(st.sampled_from([*said.items()]))
    parts.append(f"{json.dumps(name)}{data.draw(colons)}{json.dumps(value)}")
    flat = "{" + ",".join(data.draw(st.permutations(parts))) + "}"

    assert why(signed(PLAIN, flat)) == "duplicate_member"
    assert why(signed(PLAIN, '{"deep":[' + flat + "]}")) == "duplicate_member"


@given(st.binary(max_size=200) | st.text(alphabet="eyJhbGciOi.-_=", max_size=60).map(str.encode))
def test_any_bytes_are_survived(data: bytes) -> None:
    """They are a token that is all of them, or Malformed; nothing else is raised."""
    for candidate in (data, signed(data or b"{}", data or b"{}")):
        parsed: bytes | None = None
        with suppress(Malformed):
            parsed = jws.parse(candidate).signed

        assert parsed in (None, candidate.rpartition(b".")[0])


def test_deep_nesting_with_an_escape() -> None:
    """The slow reader of duplicates has a limit of its own, which is a refusal."""
    depth = min(1000, sys.getrecursionlimit() * 2)
    body = '{"a":"\\n","b":' + "[" * depth + "]" * depth + "}"

    assert why(signed(PLAIN, body)) == "duplicate_member"


def test_deep_nesting_without_an_escape() -> None:
    """More deeply than it could be written again: duplicates are found there, too."""
    deep = '"b":' + "[" * 500 + "]" * 500 + "}"

    assert len(jws.parse(signed(PLAIN, '{"a":1,' + deep)).claims) == 2
    assert why(signed(PLAIN, '{"b":1,' + deep)) == "duplicate_member"


def test_long_headers_are_not_remembered() -> None:
    """What attackers send fills no memory: only short headers are cached, and so many."""
    before = jws._cached_header.cache_info().currsize
    jws.parse(token(x5c="A" * 600))

    assert jws._cached_header.cache_info().currsize == before
    assert jws._cached_header.cache_info().maxsize == 1024


def test_composed_tokens_are_read_by_others() -> None:
    """PyJWT takes apart what we put together."""
    made = jws.compose({"alg": "HS256", "kid": "k"}, {"sub": "ü"}) + b"." + jws.base64url(b"signature")

    assert jwt.get_unverified_header(made) == {"alg": "HS256", "kid": "k"}
    assert jwt.decode(made, options={"verify_signature": False}) == {"sub": "ü"}
