"""P: Who a caller is, once a credential has proved it. Immutable but for what is remembered of it."""

from collections.abc import Iterable
from functools import lru_cache
from string import ascii_letters, digits
from typing import Any, Final, Literal

from authproxy.fieldlines import FieldLines
from authproxy.grants import SAFE, Roles, grant, quoted
from routing.snapshot import CompiledProvider

Method = Literal["jwt", "api_key", "session"]
Kind = Literal["user", "service"]

_NOT_PLAIN: Final = bytes(set(range(256)).difference(SAFE.encode(), ascii_letters.encode(), digits.encode()))

_BY_METHOD: Final[dict[Method, bytes]] = {
    "jwt": b"x-auth-method: jwt\r\n",
    "api_key": b"x-auth-method: api_key\r\n",
    "session": b"x-auth-method: session\r\n",
}
_NO_FIELDS: Final = FieldLines(())
_NOTHING: Final[frozenset[str]] = frozenset()  # one object: a hundred thousand empty sets are 20 MB


class Identity:
    """A caller. `subjects` and `seq` say which later changes end it (see `authproxy.changes`).

    What it may do is `(direct + what its roles bring) & ceiling`: a token's or a key's own scopes are a ceiling
    and never add a right.
    """

    __slots__ = (
        "_fields",
        "_granted",
        "_granted_under",
        "ceiling",
        "consumer",
        "direct",
        "expires_at",
        "is_staff",
        "issued_at",
        "key_id",
        "kind",
        "method",
        "name",
        "plan",
        "provider",
        "roles",
        "seq",
        "session",
        "subjects",
        "user_id",
    )

    def __init__(
        self,
        *,
        method: Method,
        kind: Kind = "user",
        user_id: str = "",
        name: str = "",
        consumer: str = "",
        plan: str = "",
        roles: frozenset[str] = frozenset(),
        direct: frozenset[str] = frozenset(),
        ceiling: frozenset[str] | None = None,
        is_staff: bool = False,
        provider: str = "",
        session: str = "",
        key_id: int = 0,
        issued_at: float = 0.0,
        expires_at: float = float("inf"),
        subjects: tuple[str, ...] = (),
        seq: int | None = None,
    ) -> None:
        self.method: Method = method
        self.kind: Kind = kind
        self.user_id = user_id
        """The account's id, or an external provider's subject; empty for a service."""
        self.name = name
        self.consumer = consumer
        """What limits count by and what people see; never empty."""
        self.plan = plan
        self.roles = roles
        self.direct = direct
        self.ceiling = ceiling
        self.is_staff = is_staff
        self.provider = provider
        """The identity provider's name; empty for the gateway's own accounts and consumers."""
        self.session = session
        self.key_id = key_id
        self.issued_at = issued_at
        """Epoch seconds; 0 where the credential does not say."""
        self.expires_at = expires_at
        self.subjects = subjects
        self.seq = seq
        """The newest change that this identity already reflects; None for a token that does not say."""
        self._granted_under: Roles | None = None
        self._granted: frozenset[str] = _NOTHING
        self._fields = _NO_FIELDS

    def is_vouched_for(self, providers: Iterable[CompiledProvider]) -> bool:
        """Whether the identity provider that it comes from is among them; the gateway's own callers need none."""
        return not self.provider or any(each.name == self.provider for each in providers)

    @property
    def address(self) -> str:
        """What events for this one user go by: an account's id, or an outside provider's name and subject; or empty.

        Providers choose their subjects, so one of them may be some account's id.
        """
        return self.consumer if self.provider else self.user_id

    def scopes(self, roles: Roles) -> frozenset[str]:
        """Every scope that the caller has while the roles bring what they do now."""
        if self._granted_under is not roles:
            granted = grant(roles, roles=self.roles, direct=self.direct, ceiling=self.ceiling)
            self._granted = granted.scopes
            self._fields = self._build_fields(granted.lines)
            self._granted_under = roles
        return self._granted

    def fields(self, roles: Roles) -> FieldLines:
        """The header fields that tell an upstream who calls (contract section 6)."""
        if self._granted_under is not roles:
            self.scopes(roles)
        return self._fields

    def as_json(self, roles: Roles) -> dict[str, Any]:
        """For people and programs that ask who they are."""
        return {
            "consumer": self.consumer,
            "kind": self.kind,
            "user_id": self.user_id or None,
            "name": self.name,
            "roles": sorted(self.roles),
            "scopes": sorted(self.scopes(roles)),
            "plan": self.plan or None,
            "staff": self.is_staff,
            "method": self.method,
            "provider": self.provider or None,
        }

    def _build_fields(self, granted: bytes) -> FieldLines:
        name, user_id = _shown(self.name), _shown(self.user_id)
        consumer = name if self.consumer == self.name else _shown(self.consumer)
        lines = (
            b"x-user-id: %b\r\n" % user_id if user_id else b"",
            b"x-user-name: %b\r\n" % name if name else b"",
            granted,
            b"x-consumer: %b\r\n" % consumer if consumer else b"",
            _BY_METHOD[self.method],
        )
        told = FieldLines.of_lines(b"".join(lines))
        return _shared(told) if self.key_id else told

    def __repr__(self) -> str:
        return f"<Identity {self.consumer!r} by {self.method}>"


@lru_cache(maxsize=16_384)
def _shared(fields: FieldLines) -> FieldLines:
    """The same object for the same fields: all keys of one consumer say the same."""
    return fields


def _shown(value: str) -> bytes:
    """As a field's value: of visible ASCII and spaces within, whatever it was."""
    data = value.encode()
    if data.isalnum() or (data.translate(None, _NOT_PLAIN) == data == data.strip(b" ")):
        return data
    return quoted(value).encode()
