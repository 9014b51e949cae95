"""What tokens say, and which ones are read back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from authproxy import accounts, apikeys, issuing, revocation, sessions, signingkeys
from authproxy.granting import Standing, standing, standing_of_consumer
from authproxy.issuing import Issued
from authproxy.models import Consumer, RefreshToken, Session
from authproxy.oauth import OAuthRefused

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def claims(token: str) -> dict[str, Any]:
    found = signingkeys.shared().ring().read(token.encode())
    assert found is not None
    return found


def standing_of(user: User) -> Standing:
    found = standing(user)
    assert found is not None
    return found


def issued(user: User, scopes: frozenset[str] | None = None, **more: Any) -> tuple[Issued, Session]:
    session = sessions.open(user, address="", user_agent="", scopes=scopes).session
    return issuing.for_session(session, standing_of(user), **more), session


@pytest.fixture
def ada() -> User:
    """Staff, with a role, a plan and two scopes."""
    user = User.objects.create_user("ada", is_staff=True)
    user.groups.add(Group.objects.create(name="analyst"))
    consumer = accounts.consumer_of(user)
    consumer.scopes, consumer.plan = ["write", "read"], "gold"
    consumer.save()
    return user


def test_an_access_token_says_all_that_matters(ada: User) -> None:
    """Who, what it may do, until when, and which change it already knows."""
    pair, session = issued(ada)
    said = claims(pair.access)

    assert UUID(said.pop("jti"))
    assert said.pop("nbf") == said["iat"] == said.pop("exp") - 900
    assert timezone.now().timestamp() - 60 < said.pop("iat") <= timezone.now().timestamp()
    assert said == {
        "token_type": "access",
        "iss": "torana",
        "sub": str(ada.pk),
        "name": "ada",
        "consumer": "ada",
        "cid": accounts.consumer_of(ada).pk,
        "kind": "user",
        "roles": ["analyst"],
        "scope": "read write",
        "own_scopes": ["read", "write"],
        "plan": "gold",
        "staff": True,
        "sid": str(session.pk),
        "seq": revocation.newest(),
    }


def test_a_refresh_token_says_no_more_than_it_must(ada: User) -> None:
    """It is kept by a hash, and keeps its session alive."""
    pair, session = issued(ada)
    said = claims(pair.refresh)

    assert set(said) == {"token_type", "iss", "sub", "sid", "jti", "iat", "exp"}
    assert (said["token_type"], said["exp"] - said["iat"]) == ("refresh", 7 * 24 * 3600)
    assert bytes(RefreshToken.objects.get().digest) == sessions.digest_of(said["jti"])
    assert issuing.read_refresh(pair.refresh) == said["jti"]
    assert session.expires_at.timestamp() >= said["exp"] - 1


def test_scopes_are_narrowed_by_session_and_by_token(ada: User) -> None:
    """Neither gives what the account does not have."""
    narrow = frozenset({"read", "gone"})

    assert issued(ada, scopes=narrow)[0].scopes == {"read"}
    assert claims(issued(ada, wanted=frozenset({"read"}))[0].access)["scope"] == "read"
    with pytest.raises(OAuthRefused):
        issued(ada, scopes=narrow, wanted=frozenset({"write"}))


def test_tokens_of_programs() -> None:
    """They rest on the key, end with it, and belong to no account."""
    consumer = Consumer.objects.create(name="robot", kind="service", scopes=["read"])
    ends = timezone.now() + timedelta(minutes=5)
    key, _ = apikeys.create(consumer, "k", expires_at=ends, by="root")
    found = standing_of_consumer(consumer)
    assert found is not None
    token = issuing.for_key(key, found, found.scopes)
    said = claims(token.access)

    assert (said["sub"], said["kind"], said["cid"], said["key"]) == (
        "consumer:robot",
        "service",
        consumer.pk,
        key.pk,
    )
    assert (token.refresh, said["exp"] <= ends.timestamp(), token.expires_in <= 300) == ("", True, True)


def test_tokens_are_not_shown(ada: User) -> None:
    """Neither in logs nor in errors."""
    pair, _ = issued(ada)

    assert pair.access not in repr(pair)
    assert pair.refresh not in repr(pair)


def signed(**claims: Any) -> str:
    now = int(timezone.now().timestamp())
    whole = {"iss": "torana", "token_type": "refresh", "jti": "j", "exp": now + 60, "iat": now, **claims}
    return (
        signingkeys.shared().ring().sign({name: value for name, value in whole.items() if value is not None})
    )


def test_a_good_refresh_token() -> None:
    """The others below differ from it in one thing each."""
    assert issuing.read_refresh(signed()) == "j"


@pytest.mark.parametrize(
    "claims",
    [
        {"token_type": "access"},
        {"token_type": None},
        {"token_type": ["refresh"]},
        {"iss": "elsewhere"},
        {"iss": None},
        {"exp": None},
        {"exp": 1},
        {"exp": "9999999999"},
        {"exp": 1e300},
        {"exp": -1e300},
        {"exp": True},
        {"exp": [1]},
        {"jti": None},
        {"jti": 7},
    ],
)
def test_what_is_no_refresh_token(claims: dict[str, Any]) -> None:
    """Whatever it says wrong, and though the signature is right."""
    assert issuing.read_refresh(signed(**claims)) is None


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "..", "\u00e9", "\ud800", "x" * 20_000])
def test_what_is_no_token(token: str) -> None:
    """Nothing that somebody may send is more than that."""
    assert issuing.read_refresh(token) is None
