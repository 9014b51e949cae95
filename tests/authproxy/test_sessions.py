"""Sessions: opened, ended, and refreshed by whoever has the token, once."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.utils import timezone

from authproxy import apikeys, sessions, tickets
from authproxy.models import IdentityChange, RefreshToken, Session
from authproxy.security import SecurityEvent, bind
from authproxy.sessions import OpenedSession, Reused, Unknown
from tests.support.identities import account

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def anna() -> User:
    return account("anna")


@pytest.fixture
def told() -> Iterator[list[SecurityEvent]]:
    events: list[SecurityEvent] = []
    unbind = bind(events.append)
    yield events
    unbind()


def open_one(user: User) -> OpenedSession:
    return sessions.open(user, address="192.0.2.1", user_agent="curl/8")


def with_token(user: User, jti: str = "j1", *, days: float = 7) -> Session:
    session = open_one(user).session
    sessions.remember_refresh(session, jti, timezone.now() + timedelta(days=days))
    return session


def changed() -> list[str]:
    return list(IdentityChange.objects.values_list("subject", flat=True))


def test_the_cookie_is_shown_once(anna: User) -> None:
    """Only its keyed hash is kept."""
    opened = open_one(anna)
    row = Session.objects.get()
    assert row == opened.session
    assert tickets.is_right(opened.cookie_text.encode(), bytes(row.digest), pepper=apikeys.pepper())
    assert tickets.prefix_of(opened.cookie_text.encode(), tickets.SESSION, pepper=apikeys.pepper())
    assert (row.address, row.user_agent, row.scopes) == ("192.0.2.1", "curl/8", None)
    assert timedelta(days=6) < row.expires_at - timezone.now() <= timedelta(days=7)


def test_what_clients_say_of_themselves_is_cut(anna: User) -> None:
    """It is shown to people, and no more."""
    sessions.open(anna, address="f" * 100, user_agent="x\0" * 500, scopes=frozenset({"b", "a"}))
    row = Session.objects.get()
    assert (len(row.address), len(row.user_agent), row.scopes) == (64, 256, "a b")
    assert "\0" not in row.user_agent


def test_an_ended_session_is_told_of_once(anna: User) -> None:
    """It stays for people to see, and is no longer live."""
    session = open_one(anna).session
    assert sessions.end(session, reason="logout", by="anna")
    assert not sessions.end(session, reason="again", by="anna")
    session.refresh_from_db()
    assert session.end_reason == "logout"
    assert changed() == [f"session:{session.pk}"]
    assert not sessions.live(anna).exists()


def test_all_but_one_may_be_ended(anna: User) -> None:
    """Nobody else's."""
    bert = account("bert")
    first, second, other = open_one(anna).session, open_one(anna).session, open_one(bert).session
    assert sessions.end_all(anna, reason="test", by="anna", keep=second.pk) == 1
    assert list(sessions.live(anna)) == [second]
    assert changed() == [f"session:{first.pk}"]
    assert sessions.end_all(anna, reason="test", by="anna") == 1
    assert list(sessions.live()) == [other]


def test_sessions_are_bounded(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes."""
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 2)
    first = open_one(anna).session
    others = [open_one(anna).session for _ in range(2)]
    assert list(sessions.live(anna)) == others[::-1]
    first.refresh_from_db()
    assert first.end_reason == "too many"


def test_a_refresh_token_lengthens_its_session(anna: User) -> None:
    """It never shortens it."""
    session = with_token(anna, "j1", days=30)
    sessions.remember_refresh(session, "j2", timezone.now() + timedelta(days=1))
    session.refresh_from_db()
    assert session.expires_at > timezone.now() + timedelta(days=29)
    assert b"j1" not in bytes(RefreshToken.objects.all()[0].digest)


def test_a_refresh_token_is_used_once(anna: User) -> None:
    """The session goes on, and was seen."""
    session = with_token(anna)
    assert sessions.find_refresh("j1") == session
    assert sessions.use_refresh("j1") == session
    assert sessions.find_refresh("j1") is None
    session.refresh_from_db()
    assert session.ended_at is None
    assert changed() == []


@pytest.mark.django_db(transaction=True)
def test_using_it_again_ends_the_family(anna: User, told: list[SecurityEvent]) -> None:
    """Whoever brings it: the thief and the owner cannot be told apart. The next token is worth nothing then."""
    session = with_token(anna)
    sessions.use_refresh("j1")
    sessions.remember_refresh(session, "j2", timezone.now() + timedelta(days=7))
    assert sessions.use_refresh("j1") == Reused(session)
    assert isinstance(sessions.use_refresh("j2"), Unknown)
    assert isinstance(sessions.use_refresh("j1"), Unknown)
    assert changed() == [f"session:{session.pk}"]
    assert [(event.kind, event.subject) for event in told] == [
        ("session_ended", "anna"),
        ("token_reuse", "anna"),
    ]


@pytest.mark.parametrize("jti", ["unknown", "", "\ud800", "x" * 100_000])
def test_what_was_never_issued_is_unknown(anna: User, jti: str) -> None:
    """Whatever it looks like."""
    with_token(anna)
    assert isinstance(sessions.use_refresh(jti), Unknown)
    assert sessions.find_refresh(jti) is None


def test_what_is_over_is_unknown(anna: User) -> None:
    """An expired token, and one of an ended session."""
    with_token(anna, "expired", days=-1)
    sessions.end(with_token(anna, "ended"), reason="test", by="anna")
    for jti in ("expired", "ended"):
        assert isinstance(sessions.use_refresh(jti), Unknown)
        assert sessions.find_refresh(jti) is None


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_wins(anna: User) -> None:
    """And the other ends the session, whichever is first; neither waits for ever."""
    for round_ in range(5):
        session = with_token(anna, f"j{round_}")
        ready = threading.Barrier(2)
        found: list[object] = []

        def use(jti: str, ready: threading.Barrier, found: list[object]) -> None:
            ready.wait(10)
            found.append(sessions.use_refresh(jti))
            connections.close_all()

        threads = [threading.Thread(target=use, args=(f"j{round_}", ready, found)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(type(one).__name__ for one in found) == ["Reused", "Session"]
        session.refresh_from_db()
        assert session.end_reason == sessions.REUSE


@pytest.mark.django_db(transaction=True)
def test_an_end_comes_before_new_tokens_or_ends_them(anna: User) -> None:
    """While tokens are being made of a refresh token, the end of its session waits."""
    session = with_token(anna)
    order: list[str] = []

    def end() -> None:
        sessions.end(session, reason="test", by="anna")
        order.append("ended")
        connections.close_all()

    thread = threading.Thread(target=end)
    with transaction.atomic():
        assert sessions.use_refresh("j1") == session
        thread.start()
        thread.join(0.3)
        order.append("issued")
    thread.join()
    assert order == ["issued", "ended"]


def test_what_is_long_over_is_pruned(anna: User) -> None:
    """Live sessions and those that ended lately stay."""
    live, lately, long_ago = (with_token(anna, jti) for jti in ("a", "b", "c"))
    for session in (lately, long_ago):
        sessions.end(session, reason="test", by="anna")
    with_token(anna, "old", days=-1)
    now = timezone.now()
    Session.objects.filter(pk=long_ago.pk).update(ended_at=now - timedelta(days=31))
    assert sessions.prune(now) >= 2
    assert not Session.objects.filter(pk=long_ago.pk).exists()
    assert Session.objects.filter(pk__in=[live.pk, lately.pk]).count() == 2
    assert not RefreshToken.objects.filter(expires_at__lt=now).exists()
    assert sessions.prune(now) == 0
