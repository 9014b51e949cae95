"""Failed sign-ins make the next ones wait, and never keep the owner out for long."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from authproxy import lockout
from authproxy.models import FailedSignIn

pytestmark = [pytest.mark.store, pytest.mark.django_db]

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.9"


def fail(name: str, address: str, times: int = 1, *, now: datetime = NOW) -> int:
    waits = [lockout.failed(name, address, now=now) for _ in range(times)]
    return waits[-1]


def check(name: str, address: str, *, now: datetime = NOW) -> int:
    return lockout.check(name, address, now=now)


def test_guessing_from_one_address_waits_longer_and_longer() -> None:
    """From the fifth failure on, with that account, until the time is over."""
    assert fail("ann", HOME, 4) == 0
    assert fail("ann", HOME) == 10
    assert fail("ann", HOME) == 20
    assert check("ann", HOME) == 20
    assert check("ann", HOME, now=NOW + timedelta(seconds=19.5)) == 1
    assert check("ann", HOME, now=NOW + timedelta(seconds=20)) == 0


def test_one_address_does_not_lock_the_account_elsewhere() -> None:
    """The owner signs in from anywhere else, and another account from here."""
    fail("ann", ELSEWHERE, 12)

    assert check("ann", HOME) == 0
    assert check("bob", ELSEWHERE) == 0


def test_one_address_that_tries_many_accounts_waits() -> None:
    """With any account, but for those that belong to it."""
    lockout.succeeded("owner", ELSEWHERE, now=NOW)
    for number in range(30):
        fail(f"user{number}", ELSEWHERE)

    assert check("ann", ELSEWHERE) == 10
    assert check("owner", ELSEWHERE) == 0


def test_guessing_from_many_addresses_spares_those_that_the_account_knows() -> None:
    """Strange addresses wait, for at most five minutes; the owner's does not."""
    lockout.succeeded("ann", HOME, now=NOW)
    for number in range(40):
        fail("ann", f"203.0.113.{number}")

    assert check("ann", ELSEWHERE) == 300
    assert check("ann", HOME) == 0
    assert check("ann", ELSEWHERE, now=NOW + timedelta(seconds=300)) == 0


def _has_turn(name: str, address: str) -> bool:
    with lockout.turn(name, address) as is_mine:
        return is_mine


def test_sign_ins_of_one_account_from_one_address_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others do not wait for them; whoever has waited too long is told so."""
    monkeypatch.setattr(lockout, "LONGEST_TURN_S", 0.01)
    with lockout.turn("ann", HOME) as first, lockout.turn("Ann", HOME) as second:
        assert (first, second) == (True, False)
        assert any(_has_turn("ann", f"198.51.100.{number}") for number in range(5))
    with lockout.turn("ann", HOME) as third:
        assert third


def test_success_forgets_the_failures_of_the_pair_alone() -> None:
    """Somebody with an account of their own gets no fresh allowance to guess others' passwords."""
    for number in range(29):
        fail(f"user{number}", HOME)
    fail("ann", ELSEWHERE, 4)
    lockout.succeeded("ann", ELSEWHERE, now=NOW)
    lockout.succeeded("mallory", HOME, now=NOW)

    assert fail("ann", ELSEWHERE, 4) == 0
    assert fail("user0", HOME) == 10


def test_an_address_is_known_for_ninety_days() -> None:
    """After that it is judged like any other; each sign-in begins them anew."""
    lockout.succeeded("ann", HOME, now=NOW - timedelta(days=89))
    lockout.succeeded("bob", HOME, now=NOW - timedelta(days=91))
    for number in range(30):
        fail(f"user{number}", HOME)

    assert (check("ann", HOME), check("bob", HOME)) == (0, 10)

    lockout.succeeded("bob", HOME, now=NOW)

    assert check("bob", HOME) == 0


def test_the_table_tells_nobody_which_names_were_tried() -> None:
    """Buckets are keyed hashes of one length, also for names that no encoding likes."""
    fail("ann\ud800", HOME)

    assert {len(bytes(row.bucket)) for row in FailedSignIn.objects.all()} == {32}


def test_what_no_longer_counts_is_dropped() -> None:
    """A day after the last failure, ninety after the last sign-in."""
    fail("old", HOME, now=NOW - timedelta(days=2))
    lockout.succeeded("gone", HOME, now=NOW - timedelta(days=91))
    lockout.succeeded("kept", HOME, now=NOW - timedelta(days=2))
    fail("new", ELSEWHERE)

    assert FailedSignIn.objects.count() == 3 + 1


def register(address: str, times: int, *, now: datetime = NOW) -> list[int]:
    return [lockout.claim_registration(address, now=now) for _ in range(times)]


def test_one_address_that_registers_on_and_on_waits() -> None:
    """After twenty; what was made to wait does not count, one more is forgiven every three minutes."""
    assert register(HOME, 22) == [0] * 20 + [10, 10]
    assert register(HOME, 2, now=NOW + timedelta(seconds=9.5)) == [1, 1]
    assert register(HOME, 2, now=NOW + timedelta(seconds=10)) == [0, 20]
    assert register(HOME, 3, now=NOW + timedelta(seconds=10 + 2 * 180)) == [0, 10, 10]


def test_registrations_and_sign_ins_are_counted_apart() -> None:
    """Neither makes the other wait, and an address is a whole /64."""
    register("2001:db8::1", 20)
    fail("ann", HOME, 12)

    assert register("2001:db8::2", 1) == [10]
    assert register("2001:db8:0:1::1", 1) == register(HOME, 1) == [0]
    assert check("ann", "2001:db8::1") == 0


@pytest.mark.django_db(transaction=True)
def test_registrations_side_by_side_are_all_counted() -> None:
    """Eight at once, of whom the last three find that there were enough."""
    register(HOME, 15)
    waits: list[int] = []

    def one() -> None:
        try:
            waits.append(lockout.claim_registration(HOME, now=NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(waits) == [0] * 5 + [10] * 3


@pytest.mark.django_db(transaction=True)
def test_failures_side_by_side_are_all_counted() -> None:
    """Eight at once leave eight, whatever rows had to be made."""

    def one() -> None:
        try:
            lockout.failed("ann", HOME, now=NOW)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(FailedSignIn.objects.values_list("failures", flat=True)) == {8}
