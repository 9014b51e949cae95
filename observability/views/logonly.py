"""D: `/control/v1/log-only`: whom policies in mode log would refuse, and enforcing one."""

from collections.abc import Sequence
from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control.preconditions import etag
from authproxy.refusing import not_found
from authproxy.serializers import Shape
from authproxy.views.control.asking import (
    LONGEST_MESSAGE,
    ControlEndpoint,
    changing,
    conflict,
    is_conditional,
    outcome_json,
    require_rows,
    status_of,
    tagged,
    word,
)
from authproxy.views.control.calling import Caller, staff
from authproxy.views.control.parameters import IF_ROWS, lists
from authproxy.views.control.tables import sliced
from authproxy.views.documented import documented
from observability.requests.enforcing import POLICIES, NothingToEnforce
from observability.requests.logged import logged_now
from observability.requests.logonly import (
    ENFORCE,
    SEE,
    Group,
    NoSuchRoute,
    enforce,
    groups,
    only_quota,
    states,
    with_callers,
)
from routing.locking import writing
from routing.rows.base import NAME_LENGTH

_TAG: Final = "Control"


class LogOnlyAsked(Shape):
    """What the query may have."""

    route = serializers.CharField(required=False, max_length=NAME_LENGTH, help_text="Of this route alone.")


class LogOnlyCallerShape(Shape):
    """`caller` is a consumer, or an address where nobody was known. The rest is of the last request."""

    caller = serializers.CharField()
    requests = serializers.IntegerField()
    last_at = serializers.DateTimeField()
    code = serializers.CharField()
    message = serializers.CharField()
    request_id = serializers.CharField()


class LogOnlyShape(Shape):
    """`log` is false where it is enforced by now, or gone. `most`: the 20 callers hit most often."""

    route = serializers.CharField(help_text="Empty: the gateway's own endpoints.")
    policy = serializers.CharField()
    quota = serializers.CharField(allow_null=True)
    log = serializers.BooleanField()
    requests = serializers.IntegerField()
    callers = serializers.IntegerField()
    first_at = serializers.DateTimeField(allow_null=True)
    last_at = serializers.DateTimeField(allow_null=True)
    most = LogOnlyCallerShape(many=True)
    etag = serializers.CharField(help_text="For `If-Match` of enforcing it; requests do not count.")


class LogOnlyPoliciesShape(Shape):
    policies = LogOnlyShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class EnforceOrder(Shape):
    """Which policy. `quota` may be left out where only one of the route's is in mode log."""

    route = serializers.CharField(max_length=NAME_LENGTH)
    policy = serializers.ChoiceField(POLICIES)
    quota = serializers.CharField(required=False, allow_blank=True, default="", max_length=NAME_LENGTH)
    message = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST_MESSAGE, help_text="For the history."
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Only say what it would change."
    )


class EnforcedShape(Shape):
    """As of other changes of the configuration; `places` are the entries that are changed."""

    outcome = serializers.ChoiceField(["unchanged", "published", "drafted", "previewed"])
    revision = serializers.IntegerField(allow_null=True)
    changes = serializers.DictField()
    pruned = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.DictField())
    places = serializers.ListField(child=serializers.CharField())


class LogOnlyView(ControlEndpoint):
    """Policies in mode log."""

    @lists(
        "List policies in mode log",
        tag=_TAG,
        asks=[LogOnlyAsked],
        answers=LogOnlyPoliciesShape,
    )
    def get(self, request: Request) -> Response:
        """Whom each would have refused within 30 days, of all requests; those hit most often first, at most 500."""
        staff(request).require(SEE)
        found = sliced(groups(word(request, "route")), request, _place)
        return Response(found.under("policies", _listed(found.rows)))

    @documented(
        "Enforce a policy",
        tag=_TAG,
        takes=EnforceOrder,
        asks=[IF_ROWS],
        answers={200: EnforcedShape, 202: EnforcedShape},
        errors=(400, 401, 403, 404, 409, 412, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """Takes `mode: log` out of it. 202: under review somebody else must publish it; 409: it is enforced already."""
        caller = staff(request)
        _require_all(caller)
        asked = EnforceOrder(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted: dict[str, Any] = dict(asked.validated_data)
        try:
            with changing(invalid_is_conflict=True), writing():
                if is_conditional(request):
                    require_rows(request, _tags_of(wanted))
                outcome, places = enforce(**wanted, actor=caller.actor)
        except NoSuchRoute as error:
            raise not_found(_sentence(error)) from error
        except NothingToEnforce as error:
            raise conflict(_sentence(error)) from error
        return Response({**outcome_json(outcome), "places": places}, status=status_of(outcome))


def _require_all(caller: Caller) -> None:
    """Owners may not: a policy may stand in what is everybody's."""
    for permission in ENFORCE:
        caller.require(permission)


def _place(group: Group) -> tuple[int | str, ...]:
    return -group.total, group.route, group.policy, group.quota


def _listed(some: Sequence[Group]) -> list[dict[str, Any]]:
    """Requests come while somebody looks: the tag is of the policy."""
    kept = states([(each.route, each.policy, each.quota) for each in some])
    shown = zip(with_callers(some), kept, strict=True)
    return [tagged(group.as_json(), (group.is_log, *state)) for group, state in shown]


def _tags_of(wanted: dict[str, Any]) -> list[str]:
    """Of the policy that is to be enforced, if it is in mode log."""
    route, policy, quota = wanted["route"], wanted["policy"], wanted["quota"]
    named = (route, policy, only_quota(route, quota) if policy == "quotas" else "")
    is_log = named in set(logged_now(route))
    return [etag((is_log, *states([named])[0]))] if route else []


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
