"""P: One entry of the document, checked by itself: schema, rules, references, and what is honoured yet."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from routing.document.base import Spec
from routing.document.effective import with_defaults
from routing.document.findings import Finding, repeated
from routing.document.honoured import HONOURED, unhonoured
from routing.document.policies import IdentityProviderSpec, PlanSpec, QuotaSpec, RoleSpec
from routing.document.policy_rules import check_provider_rules, check_quota_rules
from routing.document.references import check_plan_references, check_route_references
from routing.document.reserved_rules import ReservedPaths
from routing.document.route_rules import check_route_rules
from routing.document.routes import RouteSpec
from routing.document.schema import DefaultsSpec
from routing.document.service_rules import check_service_rules
from routing.document.services import ServiceSpec
from routing.document.shape import shape_of
from routing.document.token_rules import KEY, check_forwarded_token, check_token
from routing.document.topic_rules import check_topic_rule
from routing.document.topics import TopicRuleSpec
from routing.document.translation import translate
from routing.problems import quote

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an entry is checked against. What is None is not known, so not checked."""

    services: Collection[str] | None = None
    quotas: Collection[str] | None = None
    roles: Collection[str] | None = None
    defaults: Raw | None = None
    reserved: ReservedPaths | None = None
    jwt_algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class CheckedEntry:
    """An entry's specification, unless its schema refused it, and everything that was found."""

    spec: Spec | None
    findings: tuple[Finding, ...]


def check_entry(kind: str, raw: Any, around: Surroundings) -> CheckedEntry:
    """Checks one entry of `services`, `routes` and so on, or `defaults`. Never raises for JSON-like values."""
    if not isinstance(raw, Mapping):
        finding = Finding("gateway.E004", (), f"must be a mapping (key: value), not {quote(raw)}")
        return CheckedEntry(None, (finding,))
    entry = with_defaults(around.defaults or {}, raw) if kind == "routes" else raw
    spec, findings = _check_schema(MODELS[kind], dict(entry))
    findings += _RULES[kind](entry, around)
    if kind in HONOURED:
        findings += unhonoured(kind, entry)
    return CheckedEntry(spec, tuple(findings))


def _check_schema(model: type[Spec], entry: dict[str, Any]) -> tuple[Spec | None, list[Finding]]:
    try:
        return model.model_validate(entry), []
    except ValidationError as error:
        return None, list(translate(error, shape_of(model), entry))


def _check_service(entry: Raw, _around: Surroundings) -> Iterator[Finding]:
    return check_service_rules(entry)


def _check_route(entry: Raw, around: Surroundings) -> Iterator[Finding]:
    yield from check_route_rules(entry)
    yield from _check_references(entry, around)
    yield from check_forwarded_token(entry, around.defaults, jwt_algorithm=around.jwt_algorithm)
    if around.reserved is not None:
        yield from around.reserved.check(entry)


def _check_references(entry: Raw, around: Surroundings) -> Iterator[Finding]:
    return check_route_references(entry, services=around.services, quotas=around.quotas, roles=around.roles)


def _check_defaults(entry: Raw, around: Surroundings) -> Iterator[Finding]:
    yield from check_route_rules(entry, is_defaults=True)
    yield from _check_references(entry, around)
    yield from check_token(entry.get(KEY), "routes send their services", around.jwt_algorithm)


def _check_plan(entry: Raw, around: Surroundings) -> Iterator[Finding]:
    return iter(()) if around.quotas is None else check_plan_references(entry, quotas=around.quotas)


def _check_provider(entry: Raw, _around: Surroundings) -> Iterator[Finding]:
    return check_provider_rules(entry)


def _check_role(entry: Raw, _around: Surroundings) -> Iterator[Finding]:
    return repeated(entry.get("scopes"), ("scopes",))


def _check_quota(entry: Raw, _around: Surroundings) -> Iterator[Finding]:
    return check_quota_rules(entry)


def _check_topics(entry: Raw, _around: Surroundings) -> Iterator[Finding]:
    return check_topic_rule(entry)


MODELS: Final[Mapping[str, type[Spec]]] = {
    "services": ServiceSpec,
    "routes": RouteSpec,
    "defaults": DefaultsSpec,
    "quotas": QuotaSpec,
    "plans": PlanSpec,
    "roles": RoleSpec,
    "identity_providers": IdentityProviderSpec,
    "topics": TopicRuleSpec,
}
_RULES: Final[Mapping[str, Callable[[Raw, Surroundings], Iterator[Finding]]]] = {
    "services": _check_service,
    "routes": _check_route,
    "defaults": _check_defaults,
    "quotas": _check_quota,
    "plans": _check_plan,
    "roles": _check_role,
    "identity_providers": _check_provider,
    "topics": _check_topics,
}
