"""E-mail by a real SMTP conversation."""

from typing import Any

import pytest

from observability.alerts import mailing
from tests.support.receivers import Mailbox, mail_server


@pytest.fixture(autouse=True)
def _smtp(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.DEFAULT_FROM_EMAIL = "gateway@example.org"


def test_a_message_arrives(settings: Any) -> None:
    """At all addresses, under an id that says when it is the same."""
    with mail_server() as box:
        settings.EMAIL_PORT = box.port
        result = mailing.mail(["a@example.org", "b@example.org"], "FIRING: x", "text\n", id="msg_1")
        recipients, text = box.messages.get(timeout=5)
    assert result.ok
    assert recipients == ["a@example.org", "b@example.org"]
    assert "Message-ID: <msg_1@example.org>" in text
    assert "Subject: FIRING: x" in text


def test_what_does_not_arrive(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused, nobody there, a server that never greets, and no server: a reason each."""
    monkeypatch.setattr(mailing, "TIMEOUT_S", 0.3)
    with mail_server(Mailbox(refuses=True)) as box:
        settings.EMAIL_PORT = box.port
        assert "SMTPRecipientsRefused" in mailing.mail(["a@example.org"], "s", "t", id="m").error
    assert "Error" in mailing.mail(["a@example.org"], "s", "t", id="m").error
    with mail_server(Mailbox(hangs=True)) as box:
        settings.EMAIL_PORT = box.port
        assert not mailing.mail(["a@example.org"], "s", "t", id="m").ok
    settings.EMAIL_HOST = ""
    assert mailing.mail(["a@example.org"], "s", "t", id="m").error == mailing.NOT_SET


def test_nobody_writes_header_fields(settings: Any) -> None:
    """A line break in a subject sends nothing."""
    with mail_server() as box:
        settings.EMAIL_PORT = box.port
        assert "BadHeaderError" in mailing.mail(["a@example.org"], "s\nBcc: x@y", "t", id="m").error
        assert box.messages.empty()
