"""Programs that sign in with a key."""

from datetime import timedelta

import pytest
from django.utils import timezone

from authproxy import apikeys, clients
from authproxy.granting import Standing, standing_of_consumer
from authproxy.models import ApiKey, Consumer
from authproxy.oauth import Client

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def robot() -> tuple[ApiKey, str]:
    """A service with two scopes, and a key that has one of them and one that went."""
    consumer = Consumer.objects.create(name="robot", kind="service", scopes=["read", "write", "gone"])
    made = apikeys.create(consumer, "k", scopes=["read", "gone"], by="root")
    Consumer.objects.update(scopes=["read", "write"])
    return made


def test_a_service_and_its_key(robot: tuple[ApiKey, str]) -> None:
    """A token has what both have."""
    key, secret = robot
    found = clients.service_of(Client("robot", secret))

    assert found is not None
    assert (found[0].pk, found[1].name, clients.granted(*found)) == (key.pk, "robot", {"read"})


def test_a_key_without_scopes_has_them_all(robot: tuple[ApiKey, str]) -> None:
    """As on a request."""
    ApiKey.objects.update(scopes=None)
    found = clients.service_of(Client("robot", robot[1]))

    assert found is not None
    assert clients.granted(*found) == {"read", "write"}


@pytest.mark.parametrize("name", ["Robot", "", "robot "])
def test_the_name_must_be_the_keys(robot: tuple[ApiKey, str], name: str) -> None:
    """Exactly."""
    assert clients.service_of(Client(name, robot[1])) is None


def test_made_up_keys_are_not_looked_for(
    robot: tuple[ApiKey, str], django_assert_num_queries: pytest.FixtureRequest
) -> None:
    """They do not reach the database."""
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert clients.service_of(Client("robot", robot[1][:-1] + "x")) is None
        assert clients.service_of(Client("robot", "\ud800")) is None


def test_what_has_ended(robot: tuple[ApiKey, str]) -> None:
    """Expired, disabled, of another kind, revoked."""
    key, secret = robot
    past = timezone.now() - timedelta(seconds=1)
    for change, back in (
        ({"expires_at": past}, {"expires_at": None}),
        ({"revoked_at": past}, {"revoked_at": None}),
    ):
        ApiKey.objects.update(**change)
        assert clients.service_of(Client("robot", secret)) is None
        ApiKey.objects.update(**back)
    for consumer in ({"enabled": False}, {"enabled": True, "kind": "user"}):
        Consumer.objects.update(**consumer)
        assert clients.service_of(Client("robot", secret)) is None
    assert key.pk


def test_a_key_that_is_revoked_meanwhile(robot: tuple[ApiKey, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A token with the number of that very change would never be stale."""
    key, secret = robot

    def late(consumer: Consumer) -> Standing | None:
        apikeys.revoke(key, by="root")
        return standing_of_consumer(consumer)

    monkeypatch.setattr(clients, "standing_of_consumer", late)

    assert clients.service_of(Client("robot", secret)) is None
