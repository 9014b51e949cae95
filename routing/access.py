"""P: From checked specifications to what a snapshot knows of callers: roles and identity providers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from routing.document.policies import IdentityProviderSpec, RoleSpec
from routing.snapshot import CompiledProvider, Snapshot

ReadSecret = Callable[[str], str | None]
Raw = Mapping[str, Any]
_FILLED: Final = re.compile(r"\$\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Access:
    """The part of a snapshot that says who a caller may be."""

    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    default_roles: frozenset[str] = frozenset()
    providers: tuple[CompiledProvider, ...] = ()


NOTHING: Final = Access()


def assemble_access(
    roles: Iterable[RoleSpec],
    providers: Sequence[tuple[IdentityProviderSpec, Raw]],
    *,
    built_in: Iterable[CompiledProvider],
    read_secret: ReadSecret,
    previous: Snapshot | None,
) -> Access:
    """`providers` come with their entries as written; one of the document takes the place of a built-in one.

    Roles that are what they were are the same object, because what is remembered of a caller hangs on it.
    """
    roles = list(roles)
    scopes = {role.name: frozenset(role.scopes) for role in roles}
    own = [assemble_provider(spec, source, read_secret) for spec, source in providers]
    names = {provider.name for provider in own}
    return Access(
        roles=previous.roles if previous is not None and previous.roles == scopes else scopes,
        default_roles=frozenset(role.name for role in roles if role.default),
        providers=(*own, *(provider for provider in built_in if provider.name not in names)),
    )


def assemble_provider(spec: IdentityProviderSpec, source: Raw, read_secret: ReadSecret) -> CompiledProvider:
    """A provider whose secret cannot be read has none, so that its tokens are refused."""
    claims = spec.claims
    return CompiledProvider(
        name=spec.name,
        issuers=frozenset() if spec.issuer is None else frozenset([spec.issuer]),
        audiences=frozenset(spec.audience or ()),
        jwks_url=spec.jwks_url,
        discovery_url=spec.discovery_url,
        secret=None if spec.secret is None else _secret(spec.secret, source["secret"], read_secret),
        cookie=spec.cookie,
        algorithms=frozenset(spec.algorithms),
        subject_claim=claims.subject,
        name_claim=claims.name,
        email_claim=claims.email,
        roles_claim=claims.roles,
        scopes_claim=claims.scopes,
    )


def _secret(filled: str, written: str, read_secret: ReadSecret) -> str | None:
    """`${VAR}` is the secret itself; what has a slash of its own is the path of the file that holds it."""
    return read_secret(filled) if "/" in _FILLED.sub("", written) else filled
