"""The gateway's own keys: made, rotated with overlap, learned, kept for an outage."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from authproxy import revocation, security, signingkeys
from authproxy.keyring import KeyRing
from authproxy.models import IdentityChange, SigningKey
from authproxy.sealing import KeyFile, Sealer
from authproxy.signingkeys import KeyPolicy, RotationRefused, SigningKeys

pytestmark = [pytest.mark.store, pytest.mark.django_db]

SECRET = "s" * 40
DAY = 86400.0


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = timezone.now().timestamp()

    def __call__(self) -> float:
        return self.at


def keys(folder: Path, clock: Now, algorithm: str = "HS256", *, is_fixed: bool = False) -> SigningKeys:
    sealer = Sealer("secret key")
    policy = KeyPolicy(algorithm, SECRET, is_fixed=is_fixed, longest_s=DAY)
    return SigningKeys(policy, file=KeyFile(folder, sealer), sealer=sealer, clock=clock)


def kids(ring: KeyRing) -> list[str | None]:
    return sorted((key.kid for key in ring.keys), key=lambda kid: kid or "")


def signer(ring: KeyRing) -> str | None:
    assert ring.signing is not None
    return ring.signing.kid


@pytest.fixture
def clock() -> Now:
    return Now()


def test_who_judges_a_rotation_may_stop_it(
    tmp_path: Path, clock: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is raised leaves everything as it was. Nobody else can rotate by then."""
    done: list[str] = []
    hold = revocation.hold_order
    monkeypatch.setattr(revocation, "hold_order", lambda: (hold(), done.append("held")))

    def judge() -> None:
        assert connection.in_atomic_block
        done.append("judged")
        raise LookupError("not now")

    own = keys(tmp_path, clock)
    first = own.rotate()
    done.clear()
    with pytest.raises(LookupError):
        own.rotate(judge=judge)
    assert done == ["held", "judged"]
    assert SigningKey.objects.get() == first
    assert SigningKey.objects.get().retires_at is None


def test_a_fixed_secret_is_the_only_key(tmp_path: Path, clock: Now) -> None:
    """JWT_SECRET: rotation is refused with the reason, and rows of before do not count."""
    keys(tmp_path, clock).rotate()
    fixed = keys(tmp_path, clock, is_fixed=True)
    fixed.start()

    assert kids(fixed.ring()) == [None]
    with pytest.raises(RotationRefused, match="JWT_SECRET"):
        fixed.rotate()


def test_rotation_overlaps(tmp_path: Path, clock: Now) -> None:
    """The new key verifies first, signs ten seconds later; the old one goes when its last token has expired."""
    ours = keys(tmp_path, clock)
    ours.load()
    first = ours.rotate().kid

    assert (kids(ours.ring()), signer(ours.ring())) == ([None, first], None)
    clock.at += 11
    assert (kids(ours.ring()), signer(ours.ring())) == ([None, first], first)
    clock.at += DAY
    assert kids(ours.ring()) == [first]

    now = timezone.now() + timedelta(days=1, seconds=11)
    second = ours.rotate(now=now).kid
    assert signer(ours.ring()) == first
    clock.at += 11
    assert (kids(ours.ring()), signer(ours.ring())) == (sorted([first, second]), second)
    clock.at += DAY
    assert kids(ours.ring()) == [second]


def test_the_ring_is_the_same_until_something_changes(tmp_path: Path, clock: Now) -> None:
    """Whoever caches by it keeps what it has; a request costs one comparison."""
    ours = keys(tmp_path, clock)
    ours.load()
    ours.rotate()
    before = ours.ring()
    clock.at += 5

    assert ours.ring() is before
    clock.at += 6
    assert ours.ring() is not before


def test_every_worker_is_told(tmp_path: Path, clock: Now) -> None:
    """In the transaction of the rotation; and somebody hears who did it."""
    heard: list[security.SecurityEvent] = []
    unbind = security.bind(heard.append)
    row = keys(tmp_path, clock).rotate(actor="root")
    unbind()

    assert IdentityChange.objects.get().subject == "signing-keys"
    assert (heard[0].kind, heard[0].actor, heard[0].subject) == ("keys_rotated", "root", row.kid)


def test_retired_keys_are_dropped_by_the_next_rotation(tmp_path: Path, clock: Now) -> None:
    """Rotating daily does not fill the table."""
    ours = keys(tmp_path, clock)
    for day in range(5):
        ours.rotate(now=timezone.now() + timedelta(days=2 * day))

    assert SigningKey.objects.count() == 2


def test_asymmetric_algorithms_have_a_key_from_the_start(tmp_path: Path, clock: Now) -> None:
    """Made once, by whoever comes first; its public half is shown."""
    one, other = keys(tmp_path, clock, "ES256"), keys(tmp_path, clock, "ES256")
    clock.at += 1
    for each in (one, other):
        each.load()

    assert signer(one.ring()) == signer(other.ring()) == SigningKey.objects.get().kid
    (shown,) = one.ring().public_jwks()["keys"]
    assert (shown["kid"], "d" in shown) == (signer(one.ring()), False)


def test_another_algorithm_takes_over_with_overlap(tmp_path: Path, clock: Now) -> None:
    """JWT_ALGORITHM changed: tokens of before go on to be accepted, and the old key retires."""
    keys(tmp_path, clock, "EdDSA").load()
    clock.at += 1
    later = keys(tmp_path, clock, "ES256")
    later.load()

    assert {next(iter(key.algorithms)) for key in later.ring().keys} == {"EdDSA", "ES256"}
    clock.at += DAY + 60
    assert {next(iter(key.algorithms)) for key in later.ring().keys} == {"ES256"}


def test_a_worker_starts_without_a_database(
    tmp_path: Path, clock: Now, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With the keys as it last knew them."""
    before = keys(tmp_path, clock)
    kid = before.rotate().kid
    later = keys(tmp_path, clock)

    def away() -> Any:
        raise DatabaseError("it is away")

    monkeypatch.setattr(later, "_read", away)
    later.start()

    assert kids(later.ring()) == [None, kid]
    assert "it is away" in caplog.text


def test_a_key_sealed_under_another_secret_key_is_not_used(
    tmp_path: Path, clock: Now, caplog: pytest.LogCaptureFixture
) -> None:
    """It is reported and passed over; an asymmetric algorithm gets a new key."""
    other = Sealer("another")
    policy = KeyPolicy("ES256", SECRET, is_fixed=False, longest_s=DAY)
    SigningKeys(policy, file=KeyFile(tmp_path / "other", other), sealer=other, clock=clock).load()
    ours = keys(tmp_path, clock, "ES256")
    ours.load()

    assert SigningKey.objects.count() == 2
    assert len(ours.ring().keys) == 1
    assert "SECRET_KEY" in caplog.text


def test_who_signs_without_a_feed_loads_first(tmp_path: Path, clock: Now) -> None:
    """A command or a control process meets the keys that others made."""
    kid = keys(tmp_path, clock).rotate().kid

    assert kids(keys(tmp_path, clock).ring_to_sign()) == [None, kid]


@pytest.mark.django_db(transaction=True)
def test_first_key_is_made_once(tmp_path: Path, clock: Now) -> None:
    """Workers that start side by side agree on one."""

    def one() -> None:
        try:
            keys(tmp_path, clock, "EdDSA").load()
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert SigningKey.objects.count() == 1


def test_rows_say_what_they_do(tmp_path: Path, clock: Now) -> None:
    """For people: next, signs, verifies, retired."""
    ours = keys(tmp_path, clock)
    now = timezone.now()
    for day in range(3):
        ours.rotate(now=now + timedelta(hours=day))

    assert [state for _, state in signingkeys.listed(now=now + timedelta(hours=2))] == [
        "next",
        "signs",
        "verifies",
    ]
    assert [state for _, state in signingkeys.listed(now=now + timedelta(hours=25.5))] == [
        "signs",
        "verifies",
        "retired",
    ]
