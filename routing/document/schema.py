"""P: The whole configuration document, and its JSON Schema for editors."""

from typing import Any, Final, Literal

from routing.document.base import Spec, option
from routing.document.policies import IdentityProviderSpec, PlanSpec, QuotaSpec, RoleSpec
from routing.document.routes import RouteFields, RouteSpec
from routing.document.services import ServiceSpec

SCHEMA_ID: Final = "urn:torana:configuration:1"
# The sections that are lists of named entries, in document order.
KINDS: Final = ("services", "routes", "quotas", "plans", "roles", "identity_providers")


class DefaultsSpec(RouteFields):
    """Keys that every route has unless it has its own. A route's key replaces the default's key whole."""


class DocumentSpec(Spec):
    """The configuration of the gateway. In `routes` the defaults are already filled in."""

    version: Literal[1] = option(1, "Version of the document's format.")
    defaults: DefaultsSpec = option(DefaultsSpec(), "Keys that every route has unless it has its own.")
    services: tuple[ServiceSpec, ...] = option((), "Services: names for targets that answer alike.")
    routes: tuple[RouteSpec, ...] = option((), "Routes: what is matched and where it leads.")
    quotas: tuple[QuotaSpec, ...] = option((), "Quotas: how many requests in which time.")
    plans: tuple[PlanSpec, ...] = option((), "Plans that consumers may be put on.")
    roles: tuple[RoleSpec, ...] = option((), "Scopes that roles bring.")
    identity_providers: tuple[IdentityProviderSpec, ...] = option((), "Issuers of tokens that are accepted.")


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the document as it is written."""
    schema = DocumentSpec.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **schema,
        "title": "Torana configuration",
    }
