"""EMAIL_URL as Django's settings."""

import pytest

from gateway_project.mailserver import mail_settings


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail.test", 25, False, False),
        ("smtp+tls://mail.test", 587, True, False),
        ("smtps://mail.test", 465, False, True),
        ("smtp://mail.test:2525", 2525, False, False),
    ],
)
def test_schemes(url: str, port: int, tls: bool, ssl: bool) -> None:
    """Each has its usual port."""
    found = mail_settings(url, "a@b.test")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.test", port)
    assert (found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (tls, ssl)


def test_credentials_and_nothing() -> None:
    """Percent-encoded as URLs have them; without a URL there is no host."""
    found = mail_settings("smtps://me%40x:p%2Fw@mail.test", "a@b.test")
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("me@x", "p/w")
    assert mail_settings(None, "a@b.test")["EMAIL_HOST"] == ""
