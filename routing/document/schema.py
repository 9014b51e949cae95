"""P: The whole configuration document, and its JSON Schema for editors."""

from typing import Any, Final, Literal

from routing.document.base import Spec, option
from routing.document.policies import IdentityProviderSpec, PlanSpec, QuotaSpec, RoleSpec
from routing.document.routes import RouteFields, RouteSpec
from routing.document.scalars import FILLABLE, format_duration
from routing.document.services import ServiceSpec
from routing.document.topics import TopicRuleSpec

SCHEMA_ID: Final = "urn:torana:configuration:1"
# The sections that are lists of named entries, in document order.
KINDS: Final = ("services", "routes", "quotas", "plans", "roles", "identity_providers", "topics")


class DefaultsSpec(RouteFields):
    """Keys that every route has unless it has its own. A route's key replaces the default's key whole."""


class DocumentSpec(Spec):
    """The configuration of the gateway. In `routes` the defaults are already filled in."""

    version: Literal[1] = option(1, "Version of the document's format.")
    defaults: DefaultsSpec = option(
        DefaultsSpec(),
        "Keys that every route has unless it has its own, which takes the whole place: `match` as well.",
    )
    services: tuple[ServiceSpec, ...] = option((), "Services: names for targets that answer alike.")
    routes: tuple[RouteSpec, ...] = option((), "Routes: what is matched and where it leads.")
    quotas: tuple[QuotaSpec, ...] = option((), "Quotas: how many requests in which time.")
    plans: tuple[PlanSpec, ...] = option((), "Plans that consumers may be put on.")
    roles: tuple[RoleSpec, ...] = option((), "Scopes that roles bring.")
    identity_providers: tuple[IdentityProviderSpec, ...] = option((), "Issuers of tokens that are accepted.")
    topics: tuple[TopicRuleSpec, ...] = option((), "Who may read and write which topics of events.")


# Where the keys of a mapping are names, not words of JSON Schema.
_NAMED: Final = ("properties", "patternProperties", "$defs")
EXAMPLE: Final[dict[str, Any]] = {
    "version": 1,
    "services": [{"name": "orders", "targets": [{"url": "http://127.0.0.1:8001"}]}],
    "routes": [
        {"name": "orders", "match": {"path": "/orders"}, "service": "orders", "auth": {"level": "public"}}
    ],
}


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the document as it is written."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **_as_written(DocumentSpec.model_json_schema(by_alias=True)),
        "title": "Torana configuration",
        "description": "The configuration of the gateway. `${VAR}` and `${VAR:-default}` stand for the environment.",
        "examples": [EXAMPLE],
    }


def _as_written(node: Any) -> Any:
    """Defaults as people write them, none where absent means absent, and `${…}` wherever a pattern stands."""
    if isinstance(node, list):
        return [_as_written(item) for item in node]
    if not isinstance(node, dict):
        return node
    written = {
        name: {key: _as_written(each) for key, each in value.items()}
        if name in _NAMED
        else _as_written(value)
        for name, value in node.items()
    }
    default = node.get("default", ...)
    if default is None or isinstance(default, dict):  # what a section's keys default to, they say themselves
        del written["default"]
    elif isinstance(default, float) and node.get("type") == "string":
        written["default"] = format_duration(default)
    pattern = node.get("pattern")
    if isinstance(pattern, str) and FILLABLE not in pattern:
        written["pattern"] = f"{pattern}|{FILLABLE}"
    return written
