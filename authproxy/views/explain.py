"""D: `/control/v1/explain`: what would become of a request, and why; nothing is sent and nothing is counted."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import problems
from authproxy.refusing import Refused, forbidden, invalid, not_found
from authproxy.serializers import Shape
from authproxy.views.base import account_of, required_identity
from authproxy.views.control.asking import ControlEndpoint
from authproxy.views.documented import documented
from routing.callers import UnknownCaller
from routing.explain import NoRequest, request_to
from routing.explaining import (
    DRAFT,
    HIGHEST_REVISION,
    LIVE,
    NoRevision,
    configuration,
    explained,
    topic_explained,
)
from routing.explaintopics import TopicExplanation
from routing.explanation import Explanation
from routing.problems import ConfigurationInvalid, did_you_mean, quote
from routing.topics import MAX_TOPIC, is_topic

SEE_ROUTES: Final = "routing.view_route"
SEE_CALLERS: Final = "authproxy.view_consumer"
LONGEST_URL: Final = 20_000
LONGEST_HEADER: Final = 20_000
MOST_HEADERS: Final = 200
MOST_PROBLEMS: Final = 20
REQUEST_FIELDS: Final = ("method", "url", "headers", "address")
Headers = list[tuple[str, str]]


@extend_schema_field({
    "oneOf": [
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "array", "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}},
    ],
    "description": "An object, or pairs of name and value where a name occurs twice.",
})  # fmt: skip
class HeadersField(serializers.Field[Headers, Any, Any, Any]):
    """Faults are told by name, or by index."""

    def to_internal_value(self, data: Any) -> Headers:
        if isinstance(data, Mapping):
            pairs = [(f"{quote(name)}", name, value) for name, value in data.items()]
        elif isinstance(data, list):
            pairs = [(f"[{at}]", *_pair(at, item)) for at, item in enumerate(data[: MOST_HEADERS + 1])]
        else:
            raise serializers.ValidationError("Want an object, or a list of pairs of name and value.")
        if len(pairs) > MOST_HEADERS:
            raise serializers.ValidationError(f"At most {MOST_HEADERS} headers.")
        faults = [f"{place}: {why}" for place, name, value in pairs if (why := _fault(name, value))]
        if faults:
            raise serializers.ValidationError(faults)
        return [(name, value) for _, name, value in pairs]


def _pair(at: int, item: Any) -> tuple[Any, Any]:
    if isinstance(item, list) and len(item) == 2:
        return item[0], item[1]
    raise serializers.ValidationError(f"[{at}]: want a pair of name and value.")


def _fault(name: Any, value: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        return "the name must be a text."
    if not isinstance(value, str):
        return "the value must be a text."
    return "" if len(name) + len(value) <= LONGEST_HEADER else f"longer than {LONGEST_HEADER} characters."


@extend_schema_field({
    "oneOf": [{"type": "string", "enum": [LIVE, DRAFT]}, {"type": "integer", "minimum": 1}],
    "default": LIVE,
})  # fmt: skip
class RevisionField(serializers.Field[str | int, Any, Any, Any]):
    """`live`, `draft`, or a number."""

    def to_internal_value(self, data: Any) -> str | int:
        is_number = isinstance(data, int) and not isinstance(data, bool) and 0 < data <= HIGHEST_REVISION
        if data not in (LIVE, DRAFT) and not is_number:
            raise serializers.ValidationError("Want live, draft, or the number of a revision.")
        found: str | int = data
        return found


class ExplainOrder(Shape):
    """A request to explain, or a topic."""

    topic = serializers.CharField(
        required=False, allow_null=True, default=None, max_length=MAX_TOPIC,
        help_text="Instead of a request: who may read or write this topic, by which rule. Goes with as and revision.",
    )  # fmt: skip
    action = serializers.ChoiceField(
        ["subscribe", "publish"], required=False, default="subscribe", help_text="With a topic."
    )
    method = serializers.CharField(required=False, default="GET", max_length=50)
    url = serializers.CharField(
        required=False, max_length=LONGEST_URL, help_text="A path with its query, or a whole URL."
    )
    headers = HeadersField(required=False, default=list)
    address = serializers.IPAddressField(
        required=False, default="", help_text="The client's, by which quotas may count."
    )
    revision = RevisionField(required=False, default=LIVE)

    def get_fields(self) -> dict[str, Any]:
        """`as` is a word of Python's."""
        help_text = "An account or a consumer: whose request it is."
        caller = serializers.CharField(required=False, allow_null=True, default=None, help_text=help_text)
        return {**super().get_fields(), "as": caller}

    def to_internal_value(self, data: Mapping[str, Any]) -> Any:
        known = tuple(self.fields)
        faults: dict[str, Any] = {
            str(name): [f"is not a field here{did_you_mean(str(name), known)}"]
            for name in data
            if name not in known
        }
        try:
            found = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **faults}) from error  # type: ignore[dict-item]
        if found["topic"] is None and "url" not in found:
            faults["url"] = ["This field is required, or topic instead."]
        elif found["topic"] is not None:
            if not is_topic(found["topic"]):
                faults["topic"] = ["Want 1 to 200 of letters, digits and . _ : -."]
            faults |= {name: ["Does not go with topic."] for name in REQUEST_FIELDS if name in data}
        if faults:
            raise serializers.ValidationError(faults)
        return found


class MatchedShape(Shape):
    """`route` is null for an endpoint of the gateway itself, which `builtin` names."""

    route = serializers.CharField(allow_null=True)
    service = serializers.CharField(allow_null=True)
    why = serializers.ListField(child=serializers.CharField())
    builtin = serializers.CharField(required=False)


class PassedOverShape(Shape):
    route = serializers.CharField()
    because = serializers.CharField(help_text="The first reason.")


class PolicyShape(Shape):
    """For a quota, `details` tell what is left of it before the request is counted, or why nobody knows."""

    name = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment] # its name is the contract's
        help_text="route, defaults, plan NAME, service, environment or built-in."
    )
    outcome = serializers.ChoiceField(["pass", "applies", "refuse"])
    details = serializers.DictField()


class ExplainedTarget(Shape):
    url = serializers.CharField()
    chosen = serializers.BooleanField()
    weight = serializers.IntegerField()
    zone = serializers.CharField(allow_null=True)
    backup = serializers.BooleanField()
    drain = serializers.BooleanField()
    origin = serializers.ChoiceField(["configuration", "lease"], help_text="lease: it registered itself.")
    state = serializers.ChoiceField(
        ["healthy", "unhealthy", "ejected", "unchecked", "draining", "quarantined", "stale"], required=False
    )
    registered_by = serializers.CharField(allow_null=True, required=False)
    expires_at = serializers.DateTimeField(allow_null=True, required=False)


class RefusalShape(Shape):
    status = serializers.IntegerField()
    code = serializers.CharField()
    message = serializers.CharField()
    allow = serializers.ListField(child=serializers.CharField(), required=False)


class ExplanationShape(Shape):
    """As `gateway explain --json` prints it."""

    revision = serializers.IntegerField(help_text="0 for the draft.")
    matched = MatchedShape(allow_null=True)
    passed_over = PassedOverShape(many=True)
    more_passed_over = serializers.IntegerField()
    policies = PolicyShape(many=True)
    upstream_request = serializers.DictField(allow_null=True)
    answer = serializers.DictField(allow_null=True, help_text="Of a route that asks no service.")
    targets = ExplainedTarget(many=True)
    refusal = RefusalShape(allow_null=True, help_text="What the client would get instead.")


class DeciderShape(Shape):
    rule = serializers.CharField()
    pattern = serializers.CharField()
    source = serializers.ChoiceField(["document", "built-in"])  # type: ignore[assignment] # its name is the command's


class LoserShape(DeciderShape):
    because = serializers.CharField()


class TopicExplanationShape(Shape):
    """Of a topic, as `gateway explain --topic T --json` prints it."""

    revision = serializers.IntegerField(help_text="0 for the draft.")
    topic = serializers.CharField()
    action = serializers.ChoiceField(["subscribe", "publish"])
    caller = serializers.CharField(allow_null=True)
    allowed = serializers.BooleanField()
    because = serializers.CharField()
    needs = serializers.CharField()
    decided_by = DeciderShape()
    passed_over = LoserShape(many=True)


EXPLANATIONS: Final = PolymorphicProxySerializer(
    component_name="Explained",
    serializers=[ExplanationShape, TopicExplanationShape],
    resource_type_field_name=None,
)


class ExplainView(ControlEndpoint):
    """Explaining requests."""

    @documented(
        "Explain a request",
        tag="Control",
        takes=ExplainOrder,
        answers={200: EXPLANATIONS},
        errors=(400, 401, 403, 404, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """Which route takes it and why, each policy, what is left of quotas, and the target; it sends nothing."""
        _allowed(request, names_caller=request.data.get("as") is not None)
        wanted = ExplainOrder(data=request.data)
        wanted.is_valid(raise_exception=True)
        return Response(_explained(wanted.validated_data).to_json())


def _allowed(request: Request, *, names_caller: bool) -> None:
    """Staff; an account of the gateway's own needs the permissions that the page in admin wants."""
    identity = required_identity(request)
    if not identity.is_staff:
        raise Refused(problems.forbidden({"level": "admin"}))
    account = account_of(identity)
    for permission in (SEE_ROUTES, SEE_CALLERS) if names_caller else (SEE_ROUTES,):
        if account is not None and not account.has_perm(permission):
            raise forbidden(f"This takes the permission {permission}.")


def _explained(given: Mapping[str, Any]) -> Explanation | TopicExplanation:
    try:
        if (topic := given["topic"]) is not None:
            snapshot = configuration(given["revision"])
            return topic_explained(topic, snapshot, caller=given["as"], action=given["action"])
        address = str(ip_address(given["address"])) if given["address"] else ""
        asked = request_to(given["method"], given["url"], given["headers"], address=address)
        return explained(asked, given["revision"], caller=given["as"])
    except NoRequest as fault:
        raise invalid({fault.field: f"{fault}."}) from fault
    except UnknownCaller as refusal:
        raise invalid({"as": str(refusal)}) from refusal
    except NoRevision as refusal:
        if given["revision"] == LIVE:
            raise not_found(str(refusal)) from refusal
        raise invalid({"revision": str(refusal)}) from refusal
    except ConfigurationInvalid as refusal:
        raise invalid({"revision": [str(each) for each in refusal.problems[:MOST_PROBLEMS]]}) from refusal
