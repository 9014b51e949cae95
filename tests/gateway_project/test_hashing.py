"""Hashes of passwords: a few at a time, and no endless queue."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import override_settings

from authproxy.refusing import Refused
from gateway_project import hashing
from gateway_project import settings as production
from gateway_project.errors import OutageMiddleware
from gateway_project.hashing import PatientHasher, Turns

PATIENCE_S = 10


def test_no_more_at_once_than_there_are_turns() -> None:
    """The second one waits, the third one is refused; then there is room again."""
    turns = Turns(1, waiting=1)
    entered, leave, waited = Event(), Event(), Event()

    def first() -> None:
        with turns.turn():
            entered.set()
            assert leave.wait(PATIENCE_S)

    def second() -> bool:
        waited.set()
        with turns.turn():
            return leave.is_set()

    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(first)]
        assert entered.wait(PATIENCE_S)
        others.append(pool.submit(second))
        assert waited.wait(PATIENCE_S)
        while turns._here < 2:
            leave.wait(0.001)
        with pytest.raises(Refused) as refused, turns.turn():
            pass
        leave.set()
        assert [other.result() for other in others] == [None, True]
    assert refused.value.rejection.status == 503
    with turns.turn():
        pass


def test_waiting_ends() -> None:
    """Whoever waited for too long is refused, and leaves its place."""
    turns = Turns(1, waiting=1, longest_wait_s=0.01)
    with turns.turn():
        for _ in range(3):
            with pytest.raises(Refused), turns.turn():
                pass


def test_hashing_takes_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a hash, and comparing with one that was stored before."""
    monkeypatch.setattr(PatientHasher, "iterations", 1)
    stored = PBKDF2PasswordHasher().encode("secret", "salt", 1)
    with override_settings(PASSWORD_HASHERS=production.PASSWORD_HASHERS):
        assert PatientHasher().encode("secret", "salt", 1) == stored
        assert check_password("secret", stored)
        monkeypatch.setattr(hashing, "TURNS", Turns(0, waiting=0))
        with pytest.raises(Refused):
            check_password("secret", stored)


def test_pages_say_so_too() -> None:
    """Signing in to admin is no endpoint of the API; it is refused alike."""
    with pytest.raises(Refused) as refused, Turns(0, waiting=0).turn():
        pass
    answer = OutageMiddleware(lambda _request: HttpResponse()).process_exception(HttpRequest(), refused.value)

    assert answer is not None
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


@pytest.mark.django_db
def test_made_up_password_is_hashed_lightly_until_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It opens at once; the first sign-in stores it with all rounds. A wrong one is not told apart by its time."""
    encodings: list[int] = []
    encode = PatientHasher.encode

    def counted(self: PatientHasher, password: str, salt: str, iterations: int | None = None) -> str:
        encodings.append(iterations or self.iterations)
        return encode(self, password, salt, iterations)

    monkeypatch.setattr(PatientHasher, "iterations", 30_000)
    monkeypatch.setattr(PatientHasher, "encode", counted)
    with override_settings(PASSWORD_HASHERS=production.PASSWORD_HASHERS):
        user = User.objects.create(username="ada", password=hashing.lightly("made up"))
        assert encodings == [hashing.ROUNDS_FOR_RANDOM]
        assert authenticate(username="ada", password="wrong") is None
        assert sum(encodings[1:]) == PatientHasher.iterations
        assert authenticate(username="ada", password="made up") == user
        user.refresh_from_db()
        assert PatientHasher().decode(user.password)["iterations"] == PatientHasher.iterations
        assert authenticate(username="ada", password="made up") == user


def test_other_hashers_hash_as_they_do() -> None:
    """Where somebody's settings name one that knows no rounds."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        assert check_password("made up", hashing.lightly("made up"))
