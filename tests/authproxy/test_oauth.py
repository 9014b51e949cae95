"""The token endpoint's own language: clients in a header, lists of scopes, refusals."""

from base64 import b64encode

import pytest

from authproxy import oauth
from authproxy.oauth import Client, OAuthRefused


def basic(text: str) -> str:
    return "Basic " + b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("field", "client"),
    [
        (basic("robot:tor_x"), Client("robot", "tor_x")),
        (basic("a%3Ab+c:d%25:e"), Client("a:b c", "d%:e")),
        (basic("robot:"), Client("robot", "")),
        ("bAsIc " + b64encode(b"r:s").decode(), Client("r", "s")),
        ("Bearer x", None),
        ("", None),
    ],
)
def test_a_client_in_the_header(field: str, client: Client | None) -> None:
    """Both parts are form-encoded; other schemes are none of ours."""
    assert oauth.client_of(field) == client


@pytest.mark.parametrize(
    "field", ["Basic", "Basic !!!", "Basic YQ", basic("nocolon"), "Basic /w==", "Basic \u00e9"]
)
def test_a_malformed_header_is_an_invalid_client(field: str) -> None:
    """Never anything worse."""
    with pytest.raises(OAuthRefused) as refused:
        oauth.client_of(field)

    assert (refused.value.code, refused.value.status) == ("invalid_client", 401)


def test_the_secret_is_not_shown() -> None:
    """Neither in a log nor in an error."""
    assert "sesame" not in repr(Client("robot", "sesame"))


def test_scopes() -> None:
    """Separated by spaces; nothing is not an empty list."""
    assert oauth.scopes_of("write  read") == {"read", "write"}
    assert oauth.scopes_of("") is oauth.scopes_of(" ") is None


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\tb", "caf\u00e9", "a\0"])
def test_malformed_scopes(text: str) -> None:
    """Characters that RFC 6749 section 3.3 does not have."""
    with pytest.raises(OAuthRefused, match="malformed"):
        oauth.scopes_of(text)


def test_scopes_are_narrowed_never_widened() -> None:
    """What is not granted is named."""
    granted = frozenset({"read", "write"})

    assert oauth.narrowed(None, granted) == granted
    assert oauth.narrowed(frozenset({"read"}), granted) == {"read"}
    with pytest.raises(OAuthRefused, match="admin") as refused:
        oauth.narrowed(frozenset({"admin", "read"}), granted)
    assert (refused.value.code, refused.value.status) == ("invalid_scope", 400)
