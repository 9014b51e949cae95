"""P: A route's policies on the way in: who may pass, within which limits, and what a request must be."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainValidator
from pydantic import WithJsonSchema as JsonSchema

from routing.document.base import MODE_TEXT, Mode, Shorthand, Spec, option
from routing.document.scalars import (
    Count,
    FillableBool,
    MediaType,
    Name,
    Network,
    Positive,
    Role,
    Scope,
    Size,
    Text,
)
from routing.document.template_rules import parse_templated_authority
from routing.document.wire import HeaderValue, SetHeaderName

TemplatedAuthority = Annotated[
    str,
    PlainValidator(parse_templated_authority),
    JsonSchema({"type": "string", "pattern": "^[^A-Z/*]+$|\\$\\{", "examples": ["api.internal:8080"]}),
]
Level = Literal["public", "user", "admin", "service"]
AuthMethod = Literal["jwt", "api_key", "session"]


class AuthSpec(Spec):
    """Who may use the route."""

    ALWAYS_WRITTEN = frozenset({"level"})

    level: Level = option(
        "user",
        "public (anyone), user (any authenticated caller), admin (staff) or service (service consumers).",
    )
    scopes: tuple[Scope, ...] = option((), "Scopes that the caller must have, all of them.")
    roles: tuple[Role, ...] = option((), "Roles of which the caller must have one.")
    methods: tuple[AuthMethod, ...] = option(
        ("jwt", "api_key", "session"), "Credentials that are accepted, tried in this order."
    )
    reject_invalid: FillableBool = option(
        False, "On a public route, answer 401 to invalid credentials instead of ignoring them."
    )
    mode: Mode = option("enforce", MODE_TEXT)


class IpSpec(Spec):
    """Addresses that may use the route."""

    EMPTY_IS_ABSENT = True

    allow: tuple[Network, ...] = option((), "Networks that may pass; empty: all.")
    deny: tuple[Network, ...] = option((), "Networks that may not, checked first.")
    mode: Mode = option("enforce", MODE_TEXT)


class LimitsSpec(Spec):
    """Limits on size and concurrency."""

    EMPTY_IS_ABSENT = True

    max_body: Size | None = option(None, "Largest request body; a larger one is answered 413.")
    max_concurrency: Positive | None = option(
        None, "Requests at a time, per worker; more are answered 503 OVERLOADED."
    )
    queue: Count = option(0, "Requests that may wait for their turn instead.", examples=[50])
    adaptive: FillableBool = option(False, "Lower the concurrency by itself while the service slows down.")
    mode: Mode = option("enforce", MODE_TEXT)


class HeaderRuleSpec(Spec):
    """What a required header must look like; an empty rule means that it must be there."""

    one_of: tuple[HeaderValue, ...] = option(
        (), "Values that are accepted; empty: any.", examples=[["strict", "standard"]]
    )
    regex: Annotated[Text, Field(min_length=1)] | None = option(
        None, "The whole value must match this regular expression.", examples=["[a-z]{2}-[A-Z]{2}"]
    )
    optional: FillableBool = option(
        False, "The header may be missing; if it is there, it must look like this."
    )


class RequireHeadersSpec(Spec):
    """Headers that a request must have, by name. The key `mode` is not a header."""

    EMPTY_IS_ABSENT = True

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, HeaderRuleSpec] = Field(init=False)

    mode: Mode = option("enforce", MODE_TEXT)


class UploadSpec(Spec):
    """What files a multipart request may carry, by their content."""

    EMPTY_IS_ABSENT = True

    types: tuple[MediaType, ...] = option(
        (), "Media types that are accepted, recognised by content; empty: any."
    )
    max_file: Size | None = option(None, "Largest single file.")
    max_total: Size | None = option(None, "Largest sum of all files.")


class ValidateSpec(Spec):
    """What a request's body and query must look like."""

    EMPTY_IS_ABSENT = True

    body_schema: dict[str, Any] | None = option(None, "JSON Schema of the body.")
    body_required: FillableBool = option(
        True, "With rules for the body: refuse a POST, PUT or PATCH that has none."
    )
    query_schema: dict[str, Any] | None = option(
        None, "JSON Schema of the query parameters.", examples=[{"properties": {"page": {"type": "integer"}}}]
    )
    content_types: tuple[MediaType, ...] = option((), "Media types that are accepted, else 415; empty: any.")
    upload: UploadSpec | None = option(None, "Rules for uploaded files.")
    data_urls: tuple[Text, ...] = option(
        (), "JSON pointers to data: URLs in the body that the upload rules cover."
    )
    mode: Mode = option("enforce", MODE_TEXT)


class QuotaUseSpec(Shorthand):
    """A quota that a route uses: its name alone, or {name, mode}."""

    TEXT_IS = "name"

    name: Name = Field(description="Name of the quota.")
    mode: Mode = option("enforce", MODE_TEXT)


class RegexRewriteSpec(Spec):
    """Replaces what a pattern matches in the path."""

    pattern: Annotated[Text, Field(min_length=1)] = Field(
        description="Regular expression that is searched for.", examples=["^/a/(.*)"]
    )
    to: Text = Field(description="What replaces it; \\1 or \\g<name> stand for groups.", examples=["/b/\\1"])


class RewriteSpec(Spec):
    """What the upstream gets to see instead of the request's path and host. One change of path at most."""

    EMPTY_IS_ABSENT = True

    strip_prefix: bool = option(False, "Remove the matched prefix from the path.", strict=True)
    prefix: Annotated[str, Field(pattern="^/[!-~]*$", max_length=2000)] | None = option(
        None, "Replace the matched prefix by this one. It may hold ${consumer.id} and the like."
    )
    path: Annotated[str, Field(pattern="^/[!-~]*$", max_length=2000)] | None = option(
        None, "Replace the whole path by this one. It may hold ${path.id} and the like."
    )
    regex: RegexRewriteSpec | None = option(None, "Replace what a regular expression matches.")
    host: TemplatedAuthority | None = option(None, "Host header for the upstream. Default: the target's own.")
    preserve_host: bool = option(False, "Send the client's Host header to the upstream.", strict=True)


class HeaderOpsSpec(Spec):
    """Changes to headers, in this order: remove, set, add. Values may hold variables such as ${consumer.id}."""

    EMPTY_IS_ABSENT = True

    set: dict[SetHeaderName, HeaderValue] = option(
        {}, "Headers to set; replaces what is there. Values may hold ${consumer.id} and the like."
    )
    add: dict[SetHeaderName, HeaderValue] = option(
        {},
        "Headers to add; keeps what is there. Values may hold ${consumer.id} and the like.",
        examples=[{"x-served-by": "torana"}],
    )
    remove: tuple[SetHeaderName, ...] = option((), "Headers to remove.")
