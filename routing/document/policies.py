"""P: What routes refer to and callers are put on: quotas, plans, roles, identity providers."""

from typing import Annotated, Literal

from pydantic import Field, PlainValidator
from pydantic import WithJsonSchema as JsonSchema

from routing.document.base import MARK_TEXT, MODE_TEXT, Mode, Spec, option, refusal
from routing.document.scalars import (
    Bool,
    Label,
    Labels,
    Name,
    Positive,
    Role,
    Scope,
    parse_duration,
    selector,
    selector_schema,
)
from routing.document.wire import Method, WebUrl
from routing.problems import did_you_mean, quote

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"
]  # fmt: skip
QUOTA_KEYS = ("consumer", "ip", "api_key", "route", "service", "global")
CALENDAR = ("day", "month")
_parse_key = selector(plain=QUOTA_KEYS, keyed=("header",))
_KEY_SCHEMA = selector_schema(plain=QUOTA_KEYS, keyed=("header",))


def parse_quota_key(value: object) -> tuple[str, ...]:
    """One key or a list of them; `{header: x}` becomes `header:x`."""
    if isinstance(value, list | tuple):
        if not value:
            raise refusal("gateway.E038", "must name at least one key")
        return tuple(_parse_key(item) for item in value)
    return (_parse_key(value),)


def parse_period(value: object) -> float | str:
    """A duration in seconds, or `day` or `month` (calendar, UTC)."""
    if isinstance(value, str):
        if value in CALENDAR:
            return str(value)
        words = {"second": "1s", "minute": "1m", "hour": "1h"}
        if value in words:
            raise refusal("gateway.E007", f'{quote(value)} is not a period; say "{words[value]}"')
        if value.isalpha():
            raise refusal("gateway.E007", f"{quote(value)} is not a period{did_you_mean(value, CALENDAR)}")
    return parse_duration(value)


QuotaKey = Annotated[
    tuple[str, ...],
    PlainValidator(parse_quota_key),
    JsonSchema({"anyOf": [_KEY_SCHEMA, {"type": "array", "items": _KEY_SCHEMA, "minItems": 1}]}),
]
Period = Annotated[
    float | str,
    PlainValidator(parse_period),
    JsonSchema(
        {
            "type": "string",
            "pattern": r"^[0-9.]+(ms|s|m|h|d)$|^(day|month)$|\$\{",
            "examples": ["1s", "month"],
        }
    ),
]


class PlanQuotaSpec(Spec):
    """A quota as a plan changes it. What is left out stays as the quota of the same name has it."""

    name: Name = Field(description="Name of the quota that it replaces.")
    limit: Positive = Field(description="Requests in each period.")
    per: Period = Field(description="The period: a duration, or day or month (calendar, UTC).")
    burst: Positive | None = option(None, "Requests at once, for token_bucket. Default: the limit.")


class QuotaSpec(Spec):
    """A quota: how many requests in which time, counted by what."""

    name: Name = Field(description="Name of the quota. Routes that name the same quota share its counters.")
    managed_by: Name | None = option(None, MARK_TEXT, examples=["ci"])
    algorithm: Literal["token_bucket", "sliding_window", "fixed_window"] = option(
        "token_bucket", "How it is counted."
    )
    limit: Positive = Field(description="Requests in each period.")
    per: Period = Field(description="The period: a duration, or day or month (calendar, UTC).")
    burst: Positive | None = option(None, "Requests at once, for token_bucket. Default: the limit.")
    key: QuotaKey = option(
        ("consumer",),
        "Whose requests are counted together: consumer (an anonymous caller: its address), ip, api_key, "
        "{header: NAME}, route, service, global, or a list of them.",
    )
    methods: tuple[Method, ...] = option((), "Methods that count; empty: all.")
    on_store_failure: Literal["local", "allow", "deny"] = option(
        "local", "While the shared store is away: count in the worker, let pass, or refuse."
    )
    mode: Mode = option("enforce", MODE_TEXT)


class PlanSpec(Spec):
    """What a consumer may be put on."""

    name: Name = Field(description="Name of the plan.")
    managed_by: Name | None = option(None, MARK_TEXT, examples=["ci"])
    quotas: tuple[PlanQuotaSpec, ...] = option((), "Quotas that replace a route's quotas of the same name.")


class RoleSpec(Spec):
    """The scopes that a role (a Django group) brings."""

    name: Role = Field(description="Name of the role.")
    managed_by: Name | None = option(None, MARK_TEXT, examples=["ci"])
    scopes: tuple[Scope, ...] = option((), "Scopes that the role brings.")
    default: Bool = option(False, "Every registered account has it.")


class ClaimsSpec(Spec):
    """Which claims of a token say what."""

    subject: Label = option("sub", "Claim with the caller's id.", examples=["oid"])
    name: Label | None = option(None, "Claim with the caller's name.", examples=["preferred_username"])
    email: Label | None = option(None, "Claim with the caller's email address.", examples=["email"])
    roles: Label = option("roles", "Claim with the roles.", examples=["groups"])
    scopes: Label = option("scope", "Claim with the scopes.", examples=["scp"])


class IdentityProviderSpec(Spec):
    """An issuer of tokens that the gateway accepts."""

    SECRET = frozenset({"secret"})

    name: Name = Field(description="Name of the provider.")
    managed_by: Name | None = option(None, MARK_TEXT, examples=["ci"])
    issuer: Label | None = option(
        None, "Value that the iss claim must have.", examples=["https://login.example.com"]
    )
    audience: Labels | None = option(
        None, "Value that the aud claim must have, or a list: one of them.", examples=["torana"]
    )
    jwks_url: WebUrl | None = option(None, "Where the provider publishes its keys.")
    discovery_url: WebUrl | None = option(None, "Where the provider publishes its OpenID configuration.")
    secret: Label | None = option(
        None, "Shared secret for HS algorithms: ${VAR} or a file's path.", examples=["${SHARED_SECRET}"]
    )
    cookie: Label | None = option(
        None, "Cookie in which the token comes, beside Authorization.", examples=["access_token"]
    )
    algorithms: tuple[Algorithm, ...] = option(("RS256",), "Signature algorithms that are accepted.")
    claims: ClaimsSpec = option(ClaimsSpec(), "Which claims say what.")
