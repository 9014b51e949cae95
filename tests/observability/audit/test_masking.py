"""No secret is kept, whatever it is called or looks like; references stay as they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.audit.masking import MASK, clean, entries, masked

SECRETS = [
    "tor_abc123_s3cretS3cretS3cret",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_is_hidden(secret: str) -> None:
    assert secret not in str(masked({"notes": f"see {secret}!", "list": [secret], secret: 1}))


@pytest.mark.parametrize(
    "name",
    ["password", "client_secret", "jwt.secret", "api_key", "headers.authorization", "sealed", "digest"],
)
def test_what_is_called_a_secret_is_hidden(name: str) -> None:
    assert masked({name: "hunter2"}) == {name: MASK}
    assert masked({name: "${TOKEN}"}) == {name: "${TOKEN}"}


def test_passwords_in_urls_are_hidden() -> None:
    assert masked("http://anna:hunter2@host/x") == f"http://{MASK}@host/x"
    assert masked("http://${USER}:${PASS}@host") == "http://${USER}:${PASS}@host"


@given(st.text())
def test_texts_can_be_kept_by_every_database(text: str) -> None:
    kept = clean(text, 50)
    assert "\0" not in kept
    assert len(kept) <= 51
    assert kept.encode().decode() == kept


def test_of_many_changes_only_the_first_have_fields() -> None:
    field = {"path": "weight", "before": 1, "after": 2}
    change = {"kind": "routes", "name": "a", "action": "changed", "fields": [field]}
    kept = entries((change,) * 600)
    assert len(kept) == 600
    assert (kept[0]["fields"], kept[-1]["fields"]) == ([field], [])
