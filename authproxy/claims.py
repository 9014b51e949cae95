"""P: What a token with a right signature says: whether it holds now and here, and who it speaks of."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from authproxy.identity import Identity, Kind
from routing.snapshot import CompiledProvider

Claims = Mapping[str, Any]

LATEST: Final = 253_402_300_799
"""The last second of the year 9999: a later time is a mistake of units, or meant to be for ever."""
OWN_LEEWAY_S: Final = 5.0
"""For iat and nbf of the gateway's own tokens; their exp is taken exactly."""
PROVIDER_LEEWAY_S: Final = 10.0
"""How far a provider's clock may be off, for all three."""
_LONGEST_NAME: Final = 255
_LOGINS: Final = ("username", "preferred_username")
"""Unlike `name`, these are one person's only."""
_NOTHING: Final[frozenset[str]] = frozenset()
_BLANK: Final = frozenset({""})
_LONGEST_SHARED: Final = 512
_NUMBERS: Final = (int, float)  # and no bool


class Unacceptable(ValueError):  # noqa: N818 - what it is
    """The claims are refused. `why` is a short id for counting; `is_expired` where only the time has run out."""

    def __init__(self, why: str, *, is_expired: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.is_expired = is_expired


def own_identity(claims: Claims, *, issuer: str, now: float) -> Identity:
    """Who one of the gateway's tokens, or one signed with its shared secret, speaks of; raises Unacceptable.

    `own_scopes` are rights, `scope` is their ceiling. Where only `scope` is given, it is the right itself.
    """
    _check_kind_of_token(claims, accepted=("access",))
    expires_at = _check_times(claims, now, late_s=0.0, early_s=OWN_LEEWAY_S)
    if claims.get("iss", issuer) != issuer:
        raise Unacceptable("wrong_issuer")
    if "aud" in claims:
        _check_audience(claims, frozenset({issuer}))
    kind: Kind = claims.get("kind", "user")
    if kind not in ("user", "service"):
        raise Unacceptable("bad_kind")
    subject, session = _text(claims, "sub"), _optional(claims, "sid")
    login = _first_text(claims, _LOGINS) or subject.removeprefix("consumer:") or subject
    name = _optional(claims, "name") or login
    consumer = _optional(claims, "consumer") or login
    direct, ceiling = _own_scopes(claims)
    return Identity(
        method="jwt",
        kind=kind,
        user_id="" if kind == "service" and subject.startswith("consumer:") else subject,
        name=name,
        consumer=name
        if consumer == name
        else consumer,  # one object: there may be a hundred thousand callers
        plan=_optional(claims, "plan"),
        roles=_words(claims.get("roles"), split=False),
        direct=direct,
        ceiling=ceiling,
        is_staff=claims.get("staff", claims.get("is_staff")) is True,
        session=session,
        issued_at=claims.get("iat", 0.0),
        expires_at=expires_at,
        subjects=_subjects(claims, subject, session),
        seq=_whole(claims, "seq") if "seq" in claims else None,
    )


def provider_identity(
    claims: Claims, provider: CompiledProvider, *, issuers: frozenset[str], now: float
) -> Identity:
    """Who an identity provider's token speaks of; raises Unacceptable. `issuers` empty: any, or none."""
    _check_kind_of_token(claims, accepted=("access", "bearer"))
    expires_at = _check_times(claims, now, late_s=PROVIDER_LEEWAY_S, early_s=PROVIDER_LEEWAY_S)
    if issuers and claims.get("iss") not in issuers:
        raise Unacceptable("wrong_issuer")
    if provider.audiences:
        _check_audience(claims, provider.audiences)
    subject = _text({"sub": _at(claims, provider.subject_claim)}, "sub")
    names = (
        (provider.name_claim,)
        if provider.name_claim
        else (*_LOGINS[::-1], "name", provider.email_claim or "email")
    )
    return Identity(
        method="jwt",
        user_id=subject,
        name=_first_text({name: _at(claims, name) for name in names}, names) or subject,
        consumer=f"{provider.name}:{subject}",
        roles=_words(_at(claims, provider.roles_claim), split=False),
        direct=_words(_at(claims, provider.scopes_claim), split=True),
        provider=provider.name,
        issued_at=claims.get("iat", 0.0),
        expires_at=expires_at,
    )


def _check_kind_of_token(claims: Claims, *, accepted: tuple[str, ...]) -> None:
    """Refresh tokens and the identity tokens for upstreams are signed with the same keys."""
    kind = claims.get("token_type", "access")
    if kind not in accepted and not (type(kind) is str and kind.lower() in accepted):
        raise Unacceptable("wrong_token_type")
    if type(claims.get("jti", "")) is not str:
        raise Unacceptable("bad_jti")


def _check_times(claims: Claims, now: float, *, late_s: float, early_s: float) -> float:
    """When the token stops being accepted (RFC 7519 sections 4.1.4 to 4.1.6)."""
    not_before = _time(claims, "nbf") if "nbf" in claims else None
    issued_at = _time(claims, "iat") if "iat" in claims else None
    expires_at = _time(claims, "exp") if "exp" in claims else None
    if expires_at is None:
        raise Unacceptable("no_expiry")
    if now >= expires_at + late_s:
        raise Unacceptable("expired", is_expired=True)
    if (not_before or 0.0) > now + early_s or (issued_at or 0.0) > now + early_s:
        raise Unacceptable("not_yet")
    return expires_at + late_s


def _time(claims: Claims, name: str) -> float:
    """A member that is there; it may be null, which is no time."""
    value: float = claims[name]
    if type(value) not in _NUMBERS or not abs(value) <= LATEST:
        raise Unacceptable(f"bad_{name}")
    return value


def _check_audience(claims: Claims, accepted: frozenset[str]) -> None:
    if not accepted.intersection(_texts(claims.get("aud"), "bad_audience")):
        raise Unacceptable("wrong_audience")


def _own_scopes(claims: Claims) -> tuple[frozenset[str], frozenset[str] | None]:
    named = claims.get("scope", claims.get("scopes"))
    scopes = _words(named, split=True)
    if "own_scopes" not in claims:
        return scopes, None
    return _words(claims["own_scopes"], split=True), None if named is None else scopes


def _subjects(claims: Claims, subject: str, session: str) -> tuple[str, ...]:
    """What the identity rests on, as `authproxy.changes` names it."""
    found = []
    if subject.isascii() and subject.isdigit():
        found.append(f"user:{subject}")
    if "cid" in claims and (consumer := _whole(claims, "cid")) is not None:
        found.append(f"consumer:{consumer}")
    if "key" in claims and (key := _whole(claims, "key")) is not None:
        found.append(f"key:{key}")
    if session:
        found.append(f"session:{session}")
    return tuple(found)


def _at(claims: Claims, path: str) -> Any:
    """A member by its name; where there is none, by its path (realm_access.roles)."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _words(value: Any, *, split: bool) -> frozenset[str]:
    """Roles or scopes: a list of texts, or one text; `split` where spaces separate (RFC 6749 section 3.3)."""
    if value is None:
        return _NOTHING
    try:
        if type(value) is str:
            return _shared((value,), split)
        if type(value) is list:
            return _shared(tuple(value), split)
    except _TooLong as found:
        return found.words
    except TypeError:  # there is something in it that is no text
        pass
    raise Unacceptable("bad_scopes" if split else "bad_roles")


class _TooLong(Exception):  # noqa: N818 - what it is
    """To be remembered."""

    def __init__(self, words: frozenset[str]) -> None:
        super().__init__()
        self.words = words


@lru_cache(maxsize=1024)
def _shared(texts: tuple[str, ...], split: bool) -> frozenset[str]:
    """Many callers have the same roles and scopes: one set, made once, serves all. Raises TypeError, _TooLong."""
    if not all(type(each) is str for each in texts):
        raise TypeError
    words = frozenset(" ".join(texts).split()) if split else frozenset(texts) - _BLANK
    if sum(map(len, texts)) > _LONGEST_SHARED:
        raise _TooLong(words)
    return words


def _texts(value: Any, why: str) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if type(texts) is not list:
        raise Unacceptable(why)
    for each in texts:
        if not isinstance(each, str):
            raise Unacceptable(why)
    return texts


def _text(claims: Claims, name: str) -> str:
    if not (value := _optional(claims, name)):
        raise Unacceptable(f"bad_{name}")
    return value


def _optional(claims: Claims, name: str) -> str:
    """Empty where there is none, or null."""
    if (value := claims.get(name)) is None:
        return ""
    if type(value) is not str or len(value) > _LONGEST_NAME:
        raise Unacceptable(f"bad_{name}")
    return value


def _first_text(claims: Claims, names: tuple[str, ...]) -> str:
    for name in names:
        if name in claims and (text := _optional(claims, name)):
            return text
    return ""


def _whole(claims: Claims, name: str) -> int | None:
    value = claims.get(name)
    if value is not None and type(value) is not int:
        raise Unacceptable(f"bad_{name}")
    return value
