"""Webhooks against a receiver that misbehaves."""

import time

import pytest

from observability.alerts.posting import post
from observability.alerts.signing import fields, new_secret
from tests.support.receivers import CLOSE, DRIP, HANG, webhook

SECRET = new_secret(b"s" * 32)


def test_a_message_arrives_signed() -> None:
    """With the bytes that were signed."""
    with webhook() as hook:
        result = post(hook.url, SECRET, id="msg_1", at=5, body=b'{"a":1}')
        path, given, body = hook.received.get(timeout=5)
    assert result.ok
    assert (path, body, given["content-type"]) == ("/hook", b'{"a":1}', "application/json")
    signed = fields(SECRET, id="msg_1", at=5, body=body)
    assert {name: given[name] for name in signed} == signed


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (500, 500, "status 500"),
        ((429, {"retry-after": "7"}), 429, "status 429"),
        (410, 410, "status 410"),
        (CLOSE, 0, "RemoteProtocolError"),
        (HANG, 0, "no answer within 0.5 s"),
        (DRIP, 0, "no answer within 0.5 s"),
    ],
)
def test_what_is_no_confirmation(answer: object, status: int, said: str) -> None:
    """Ends in time, with a reason."""
    with webhook() as hook:
        hook.then(answer)
        began = time.monotonic()
        result = post(hook.url, SECRET, id="msg_1", at=5, body=b"{}", timeout_s=0.5)
        took_s = time.monotonic() - began
    assert (result.ok, result.status) == (False, status)
    assert said in result.error
    assert result.retry_after_s == (7.0 if status == 429 else 0.0)
    assert took_s < 5


def test_redirects_are_not_followed() -> None:
    """A receiver cannot lead the gateway elsewhere."""
    with webhook() as elsewhere, webhook() as hook:
        hook.then((307, {"location": elsewhere.url}))
        result = post(hook.url, SECRET, id="msg_1", at=5, body=b"{}")
        assert elsewhere.received.empty()
    assert "redirects are not followed" in result.error


def test_nobody_is_there() -> None:
    """Nor where the name is none."""
    assert "ConnectError" in post("http://127.0.0.1:1/", SECRET, id="m", at=1, body=b"{}").error
    assert not post("http://[", SECRET, id="m", at=1, body=b"{}").ok
