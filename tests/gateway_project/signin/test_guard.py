"""Guessing at sign-in: slowed down, told about, and never told what was typed."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory

from authproxy import security
from authproxy.exchange import SCOPE_CLIENT
from authproxy.security import SecurityEvent
from gateway_project.signin import guard

pytestmark = [pytest.mark.store, pytest.mark.django_db]
REQUEST = RequestFactory().get("/accounts/login/", REMOTE_ADDR="203.0.113.7")


@pytest.fixture
def told() -> Iterator[list[SecurityEvent]]:
    """The security events of the test."""
    events: list[SecurityEvent] = []
    unbind = security.bind(events.append)
    yield events
    unbind()


def test_address_is_the_clients_behind_trusted_proxies() -> None:
    """The pipeline knows it; without the pipeline it is the peer's."""
    proxied = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1")
    proxied.scope = {SCOPE_CLIENT: "203.0.113.9"}  # type: ignore[attr-defined]

    assert guard.address_of(proxied) == "203.0.113.9"
    assert guard.address_of(REQUEST) == "203.0.113.7"


def test_failures_make_wait_and_success_forgets_them() -> None:
    """The next attempt is looked at only after a while."""
    for _ in range(20):
        guard.failed(REQUEST, "ada", "staff_login_failed")
    waited = guard.wait_s(REQUEST, "ada")
    guard.succeeded(REQUEST, "ada")

    assert waited > 0
    assert guard.wait_s(REQUEST, "ada") == 0


def test_events_name_accounts_only(told: list[SecurityEvent]) -> None:
    """People type passwords where a name is wanted."""
    User.objects.create_user("ada")
    guard.failed(REQUEST, "ada", "staff_login_failed")
    guard.failed(REQUEST, "hunter2", "mfa_failed")

    assert [(event.kind, event.subject, event.address) for event in told] == [
        ("staff_login_failed", "ada", "203.0.113.7"),
        ("mfa_failed", "", "203.0.113.7"),
    ]
