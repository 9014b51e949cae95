"""D: `/discovery/…`: services register, renew and leave; who is there, how that stands, and the routes for Traefik."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import DatabaseError, InterfaceError
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import consumers, problems
from authproxy.exchange import SCOPE_IDENTITY
from authproxy.identity import Identity
from authproxy.moments import rfc3339
from authproxy.refusing import Refused, forbidden, invalid, not_found
from authproxy.rejections import Code, Rejection
from authproxy.serializers import Shape
from authproxy.views.base import OPERATE, Endpoint, account_of, is_open_to, required_identity, scope_of
from authproxy.views.documented import documented
from routing import discovery, leases
from routing.leases import LeaseRefused
from routing.leasing import HEAVIEST, Fault
from routing.locking import StoreUnavailable
from routing.models import Lease
from routing.traefik import traefik_document

_TAG: Final = "Discovery"
_RENEWALS_PER_TTL: Final = 3
_RETRY_SOON: Final = ((b"retry-after", b"2"),)
T = TypeVar("T")


class RegistrationShape(Shape):
    """Durations are seconds, or texts such as 30s."""

    service_name = serializers.CharField(max_length=100)
    host = serializers.CharField(max_length=253, help_text="A name or an address, without scheme and port.")
    port = serializers.IntegerField(min_value=1, max_value=65_535)
    check_endpoint = serializers.CharField(
        required=False, max_length=2000, help_text="Path of its health check; /health where none is given."
    )
    check_interval = serializers.FloatField(
        required=False, help_text="Between two checks; 30 where none is given."
    )
    weight = serializers.IntegerField(required=False, min_value=1, max_value=HEAVIEST)
    ttl = serializers.FloatField(
        required=False, help_text="It must be renewed within; without, it lives while its check passes."
    )
    scheme = serializers.ChoiceField(["http", "https"], required=False)


class LeaseShape(Shape):
    lease_id = serializers.UUIDField()
    service_name = serializers.CharField()
    url = serializers.CharField()
    state = serializers.ChoiceField(["pending", "approved"], help_text="pending: it takes no traffic yet.")
    ttl = serializers.FloatField(allow_null=True)
    renew_before = serializers.DateTimeField(allow_null=True)
    renew_every = serializers.FloatField(allow_null=True, help_text="Seconds; a third of the ttl.")


class RegisteredShape(LeaseShape):
    is_new = serializers.BooleanField(
        help_text="false: there was a lease for this address, which was renewed."
    )
    service = serializers.ChoiceField(
        ["known", "created", "drafted"], help_text="drafted: somebody must publish the service first."
    )


class TargetShape(Shape):
    url = serializers.CharField()
    weight = serializers.IntegerField()
    origin = serializers.ChoiceField(["configuration", "lease"])
    state = serializers.ChoiceField(["pending", "approved"], allow_null=True)
    failing = serializers.BooleanField(help_text="Its checks fail, or it is ejected.")
    lease = serializers.UUIDField(allow_null=True, help_text="For whoever made it, and for staff.")
    registered_by = serializers.CharField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class ServiceShape(Shape):
    name = serializers.CharField()
    protocol = serializers.CharField(allow_null=True)
    targets = TargetShape(many=True)


class ServicesShape(Shape):
    services = ServiceShape(many=True)
    stale = serializers.BooleanField(help_text="The database is away: this is what was known last.")


class ServiceHealthShape(Shape):
    status = serializers.ChoiceField(["up", "degraded", "down"], help_text="As `GET /status` says it.")
    breaker = serializers.ChoiceField(["closed", "half_open", "open"], allow_null=True)
    targets = serializers.IntegerField(help_text="That are configured, or approved.")
    failing = serializers.IntegerField(help_text="Of them, those whose checks fail or that are ejected.")
    pending = serializers.IntegerField()


class HealthShape(Shape):
    status = serializers.ChoiceField(["healthy", "degraded"])
    stale = serializers.BooleanField()
    services = serializers.DictField(child=ServiceHealthShape())


class TraefikShape(Shape):
    http = serializers.DictField(help_text="`routers` and `services`, as Traefik's HTTP provider reads them.")


class RegisterView(Endpoint):
    """Where services register."""

    @documented(
        "Register a target",
        tag=_TAG,
        takes=RegistrationShape,
        answers={201: RegisteredShape},
        errors=(400, 401, 403, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """201; the same account registers the same address again to renew it. A service that is unknown is created."""
        identity = _service(request)
        found = _kept(
            lambda: discovery.admit(
                request.data,
                consumer=identity.consumer,
                ports=_ports(request),
                may=lambda: consumers.may_register(identity),
            )
        )
        if not isinstance(found, discovery.Admitted):
            raise invalid(_by_field(found))
        more = {"is_new": found.is_new, "service": found.service}
        return Response(_lease(found.lease) | more, status=201)


class LeaseView(Endpoint):
    """One lease."""

    @documented("Renew a lease", tag=_TAG, answers={200: LeaseShape}, errors=(400, 401, 403, 404, 413, 415))
    def put(self, request: Request, pk: UUID) -> Response:
        """Another ttl from now. 404 tells whoever made it to register again."""
        consumer, _ = _owner_or_staff(request)
        if request.data:
            raise invalid({name: "is not a field here: register again to change it" for name in request.data})
        return Response(_lease(_kept(lambda: leases.renew(pk, consumer=consumer))))

    @documented("End a lease", tag=_TAG, answers={204: None}, errors=(401, 403, 404))
    def delete(self, request: Request, pk: UUID) -> Response:
        """204; the target takes nothing new, on every worker within a second."""
        consumer, by = _owner_or_staff(request)
        _kept(lambda: leases.leave(pk, consumer=consumer, by=by))
        return Response(status=204)


class ServicesView(Endpoint):
    """Everything that can answer."""

    @extend_schema(parameters=[OpenApiParameter("service", str, description="Only this one.")])
    @documented("List services", tag=_TAG, answers={200: ServicesShape}, errors=(401, 403))
    def get(self, request: Request) -> Response:
        """Services with their targets, configured and discovered."""
        found, is_stale = _services(_viewer(request), request.query_params.get("service", ""))
        return Response({"services": [_shown(each) for each in found], "stale": is_stale})


class HealthView(Endpoint):
    """How all services are."""

    @documented("Show the health of all services", tag=_TAG, answers={200: HealthShape}, errors=(401, 403))
    def get(self, request: Request) -> Response:
        """degraded: a service is not up (a target fails, a breaker is not closed), or the database is away."""
        found, is_stale = _services(_viewer(request), "")
        breakers = {} if is_stale else discovery.breakers()
        services = {each["name"]: _health(each["targets"], breakers.get(each["name"])) for each in found}
        is_well = not is_stale and all(each["status"] == "up" for each in services.values())
        return Response(
            {"status": "healthy" if is_well else "degraded", "stale": is_stale, "services": services}
        )


class TraefikView(Endpoint):
    """The routes for Traefik."""

    @documented("Export routes for Traefik", tag=_TAG, answers={200: TraefikShape}, errors=(401, 403))
    def get(self, request: Request) -> Response:
        """A dynamic configuration for the HTTP provider of Traefik 3. Its routers lead to this gateway."""
        _viewer(request)
        snapshot = discovery.live_snapshot()
        if snapshot is None:
            return Response({"http": {}})
        gateway = f"{request._request.scheme}://{request._request.get_host()}"
        return Response(traefik_document(snapshot, discovery.leased_urls(), gateway_url=gateway))


def _service(request: Request) -> Identity:
    """A service account. Whatever ENABLE_AUTHENTICATION says, discovery is protected."""
    identity = required_identity(request)
    if identity.kind != "service":
        raise Refused(problems.forbidden({"level": "service"}))
    return identity


def _viewer(request: Request) -> str | None:
    """Who reads: the account's name, None for staff, who see all, and empty for whom OPS_ACCESS lets read."""
    if is_open_to(request):
        found = scope_of(request).get(SCOPE_IDENTITY)
        if found is None or not (found.is_staff or found.kind == "service"):
            return ""
    identity = _reader(request)
    return None if identity.is_staff else identity.consumer


def _reader(request: Request) -> Identity:
    identity = required_identity(request)
    if identity.kind != "service" and not identity.is_staff:
        raise Refused(problems.forbidden({"level": "service"}))
    return identity


def _owner_or_staff(request: Request) -> tuple[str | None, str]:
    """Whose leases may be touched (None: anybody's), and who does it."""
    identity = _reader(request)
    if identity.kind == "service":
        return identity.consumer, identity.consumer
    account = account_of(identity)
    if account is not None and not account.has_perm(OPERATE):
        raise forbidden(f"This takes the permission {OPERATE}.")
    return None, identity.name or identity.consumer


def _services(viewer: str | None, name: str) -> tuple[list[dict[str, Any]], bool]:
    """From the database, or what this process remembers; True for the latter, or where it cannot know of changes."""
    try:
        return discovery.services(name=name, viewer=viewer), False
    except (DatabaseError, InterfaceError):
        found = discovery.remembered()
        if found is None:
            raise
        return [each for each in found if not name or each["name"] == name], True


def _kept(act: Callable[[], T]) -> T:
    """What is refused, as an answer."""
    try:
        return act()
    except LeaseRefused as refusal:
        if refusal.reason == "unknown":
            raise not_found(str(refusal)) from refusal
        raise Refused(
            Rejection(Code.FORBIDDEN, str(refusal), details={"reason": refusal.reason})
        ) from refusal
    except StoreUnavailable as outage:
        text = f"Not now: {str(outage).partition(': ')[0]}."
        raise Refused(Rejection(Code.SERVICE_UNAVAILABLE, text, headers=_RETRY_SOON)) from outage


def _ports(request: Request) -> tuple[int, ...]:
    """The port that the gateway was asked on, whatever a Host field says."""
    server = scope_of(request).get("server")
    return (server[1],) if server and isinstance(server[1], int) else ()


def _by_field(faults: Iterable[Fault]) -> dict[str, list[str]]:
    """The stable code stands before each sentence."""
    found: dict[str, list[str]] = {}
    for fault in faults:
        found.setdefault(fault.field, []).append(f"{fault.code}: {fault.message}")
    return found


def _lease(lease: Lease) -> dict[str, Any]:
    return {
        "lease_id": str(lease.pk),
        "service_name": lease.service,
        "url": lease.url,
        "state": lease.state,
        "ttl": lease.ttl_s,
        "renew_before": rfc3339(lease.expires_at),
        "renew_every": None if lease.ttl_s is None else round(lease.ttl_s / _RENEWALS_PER_TTL, 3),
    }


def _shown(service: dict[str, Any]) -> dict[str, Any]:
    targets = [each | {"expires_at": rfc3339(each["expires_at"])} for each in service["targets"]]
    return service | {"targets": targets}


def _health(targets: Iterable[dict[str, Any]], breaker: str | None) -> dict[str, Any]:
    kinds = Counter(
        "pending" if each["state"] == "pending" else "failing" if each["failing"] else "targets"
        for each in targets
    )
    return {
        "status": _word(kinds["targets"], kinds["failing"], breaker or "closed"),
        "breaker": breaker,
        "targets": kinds["targets"] + kinds["failing"],
        "failing": kinds["failing"],
        "pending": kinds["pending"],
    }


def _word(able: int, failing: int, breaker: str) -> str:
    if not able or breaker == "open":
        return "down"
    return "degraded" if failing or breaker == "half_open" else "up"
