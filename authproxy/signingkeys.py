"""D: The gateway's own keys: kept as sealed rows, changed by rotation, known to every worker as a `KeyRing`.

JWT_SECRET, where it is given, is the only key. Otherwise HS tokens are signed with a key derived from SECRET_KEY until
the first rotation, and asymmetric algorithms have their first key made when somebody first asks for it.
"""

import functools
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Q
from django.utils import timezone

from authproxy import revocation, sealing, security
from authproxy.keyring import KeyRing
from authproxy.keyschedule import LEAD_S, KeptKey, schedule
from authproxy.models import SigningKey
from authproxy.moments import rfc3339
from authproxy.sealing import KeyFile, Sealer
from authproxy.signatures import Key, secret_key
from resilience.clock import wall_clock
from routing.auditing import ordered

FIXED: Final = "JWT_SECRET fixes the signing key: change it there, or remove it to have keys made and rotated"
STATES: Final = ("signs", "next", "verifies", "retired", "unused")
"""What a key does. All are unused while JWT_SECRET is the only key."""
_LEEWAY_S: Final = 60.0
_log = logging.getLogger(__name__)


class RotationRefused(Exception):  # noqa: N818 - a refusal, told in one sentence
    """Keys cannot be rotated; str(error) says why."""


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """What the environment says about the gateway's own keys."""

    algorithm: str
    secret: str
    """JWT_SECRET, or what was derived in its place."""
    is_fixed: bool
    longest_s: float
    """The longest life of a token that the gateway issues."""

    @classmethod
    def of(cls, config: Any) -> Self:
        longest = max(
            timedelta(minutes=config.access_token_expire_minutes),
            timedelta(days=config.refresh_token_expire_days),
        )
        return cls(
            algorithm=config.jwt_algorithm,
            secret=str(config.jwt_secret),
            is_fixed=config.jwt_secret_given,
            longest_s=longest.total_seconds() + _LEEWAY_S,
        )

    @property
    def derived(self) -> Key | None:
        """The key that signs before there is another."""
        if not self.algorithm.startswith("HS"):
            return None
        return secret_key(self.secret, self.algorithm)


class SigningKeys:
    """What this process knows of the keys. `ring` may be called on the event loop; all else asks the database."""

    def __init__(
        self, policy: KeyPolicy, *, file: KeyFile, sealer: Sealer, clock: Callable[[], float] = wall_clock
    ) -> None:
        self._policy = policy
        self._file = file
        self._sealer = sealer
        self._clock = clock
        self._kept: tuple[KeptKey, ...] = ()
        self._until = float("-inf")
        self._is_loaded = False
        if policy.is_fixed:
            self._ring = KeyRing.fixed(policy.secret, policy.algorithm)
            self._until = float("inf")

    def ring(self) -> KeyRing:
        """The keys that count now."""
        now = self._clock()
        if now >= self._until:
            self._arrange(now)
        return self._ring

    def ring_to_sign(self) -> KeyRing:
        """The same, loaded before if nobody has: for programs that no feed of changes keeps up to date."""
        if not self._is_loaded:
            self.start()
        return self.ring()

    def start(self) -> None:
        """Learns the keys from the database, else from VAR_DIR."""
        try:
            self.load()
        except (DatabaseError, InterfaceError) as error:
            _log.warning("signing keys come from %s: %s", self._file.path, " ".join(str(error).split()))
            self.start_without_database()

    def start_without_database(self) -> None:
        """Learns the keys from VAR_DIR."""
        if not self._policy.is_fixed:
            self._know(self._file.load())

    def load(self) -> None:
        """Learns the keys from the database, and makes the first one if one is wanted. Raises DatabaseError."""
        if not self._policy.is_fixed:
            kept = self._read()
            if self._policy.derived is None and not self._has_ours(kept):
                kept = self._make_first()
            self._know(kept)
            self._file.save(kept)
        self._is_loaded = True

    def rotate(
        self, *, actor: str = "", now: datetime | None = None, judge: Callable[[], object] | None = None
    ) -> SigningKey:
        """Makes the next key, and lets the others retire. Raises RotationRefused, DatabaseError.

        `judge` is asked once nobody else can rotate; what it raises leaves all as it is.
        """
        if self._policy.is_fixed:
            raise RotationRefused(FIXED)
        moment = now or timezone.now()
        with transaction.atomic():
            revocation.hold_order()
            if judge is not None:
                judge()
            row = self._make(moment, moment + timedelta(seconds=LEAD_S))
            SigningKey.objects.filter(retires_at__lt=moment).delete()
            given = {"algorithm": row.algorithm, "activates_at": row.activates_at.isoformat()}
            ordered("keys.rotate", "signing key", row.kid, by=actor, after=given)
        security.emit(security.SecurityEvent("keys_rotated", actor=actor, subject=row.kid))
        self.load()
        return row

    def _make_first(self) -> tuple[KeptKey, ...]:
        with transaction.atomic():
            revocation.hold_order()
            if not self._has_ours(self._read()):
                now = timezone.now()
                self._make(now, now)
        return self._read()

    def _make(self, moment: datetime, activates_at: datetime) -> SigningKey:
        algorithm = self._policy.algorithm
        row = SigningKey.objects.create(
            kid=sealing.new_kid(),
            algorithm=algorithm,
            sealed=self._sealer.seal(sealing.new_material(algorithm)),
            activates_at=activates_at,
        )
        retires_at = activates_at + timedelta(seconds=self._policy.longest_s)
        SigningKey.objects.filter(~Q(pk=row.pk), retires_at=None).update(retires_at=retires_at)
        revocation.record(revocation.SIGNING_KEYS, reason="rotated")
        return row

    def _read(self) -> tuple[KeptKey, ...]:
        found = []
        for row in SigningKey.objects.order_by("pk"):
            material = self._sealer.unseal(bytes(row.sealed))
            if material is None:
                _log.error("signing key %s was sealed under another SECRET_KEY and is not used", row.kid)
            else:
                found.append(_kept(row, material))
        return tuple(found)

    def _has_ours(self, kept: tuple[KeptKey, ...]) -> bool:
        return any(key.algorithm == self._policy.algorithm and key.retires_at is None for key in kept)

    def _know(self, kept: tuple[KeptKey, ...]) -> None:
        self._kept = kept
        self._until = float("-inf")

    def _arrange(self, now: float) -> None:
        policy = self._policy
        plan = schedule(
            self._kept,
            derived=policy.derived,
            algorithm=policy.algorithm,
            now=now,
            longest_s=policy.longest_s,
        )
        self._ring = KeyRing(plan.keys, plan.signing)
        self._until = plan.until


@functools.cache
def shared() -> SigningKeys:
    """This process's keys."""
    config = settings.CONFIG
    sealer = Sealer(str(config.secret_key))
    return SigningKeys(KeyPolicy.of(config), file=KeyFile(config.var_dir, sealer), sealer=sealer)


def listed(*, now: datetime | None = None) -> list[tuple[SigningKey, str]]:
    """The rows, newest first, each with what it does now."""
    return with_states(SigningKey.objects.defer("sealed").order_by("-activates_at", "-pk"), now=now)


def with_states(rows: Iterable[SigningKey], *, now: datetime | None = None) -> list[tuple[SigningKey, str]]:
    """Each with what it does now, which is one of STATES. The others are asked for after these are read: whatever is
    made in between, no row is taken for one that is gone."""
    found, moment = list(rows), now or timezone.now()
    if KeyPolicy.of(settings.CONFIG).is_fixed:
        return [(row, "unused") for row in found]
    active = SigningKey.objects.filter(activates_at__lte=moment).order_by("-activates_at", "-pk")
    signing = active.values_list("pk", flat=True).first()
    return [(row, _state(row, moment, signs=row.pk == signing)) for row in found]


def as_json(row: SigningKey, state: str) -> dict[str, Any]:
    """All but the key itself."""
    return {
        "kid": row.kid,
        "algorithm": row.algorithm,
        "state": state,
        "created_at": rfc3339(row.created_at),
        "activates_at": rfc3339(row.activates_at),
        "retires_at": rfc3339(row.retires_at),
    }


def _kept(row: SigningKey, material: bytes) -> KeptKey:
    retires_at = row.retires_at.timestamp() if row.retires_at else None
    return KeptKey.read(row.kid, row.algorithm, material, row.activates_at.timestamp(), retires_at)


def _state(row: SigningKey, moment: datetime, *, signs: bool) -> str:
    if row.retires_at is not None and row.retires_at <= moment:
        return "retired"
    if row.activates_at > moment:
        return "next"
    return "signs" if signs else "verifies"
