"""D: A row of every table that admin shows, and more of each, alike but for what must differ."""

import itertools
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import models
from django.utils import timezone

from authproxy.models import ApiKey, Consumer, LimitedCaller, SecurityEvent, Session, SigningKey
from observability.models import AlertDelivery, AlertReceiver, AuditEvent, Incident, KeptRequest, WouldRefuse
from realtime.models import DeadLetter, LiveSocket, SocketEnding, WaitingEvent
from resilience.canaries import Wanted
from resilience.canary import CanaryPolicy
from resilience.models import (
    BreakerState,
    BreakerTransition,
    CachePurge,
    QuotaCount,
    QuotaReset,
    TargetHealth,
    TargetReadmission,
)
from routing.auditing import Deed, record
from routing.canarying import begin
from routing.drafts import Actor
from routing.models import (
    IdentityProvider,
    Node,
    Owner,
    PendingChange,
    Plan,
    Quota,
    RoleScopes,
    Schedule,
    Service,
    TopicRule,
)
from routing.publishing import apply_document
from tests.support.configuration import route, service
from tests.support.leases import registered as registered_target


def a_row_of_each() -> None:
    """Of what somebody owns there is a second one, that is somebody else's."""
    names = ("mine", "theirs")
    services = [service(name, 8001 + at) for at, name in enumerate(names)]
    routes = [route(name, f"/{name}", name) for name in names]
    apply_document({"version": 1, "services": services, "routes": routes}, actor=Actor("first"))
    now = timezone.now()
    user = User.objects.create_user("bert")
    consumer = Consumer.objects.create(name="shop", kind="service")
    Owner.objects.create(group=Group.objects.create(name="team"), service=Service.objects.get(name="mine"))
    Node.objects.create(name="w", pid=1, role="all", heartbeat=now)
    registered_target("mine", approves=False)
    BreakerState.objects.create(service="mine")
    BreakerTransition.objects.create(service="mine", at=now, before="closed", after="open")
    begin("mine", Wanted(CanaryPolicy(), "mine", "m"), 1, now.timestamp())
    TargetHealth.objects.create(service="mine", target="http://a:1", checked_at=now, ok=True, node="w")
    TargetReadmission.objects.create(service="mine", target="http://a:1", at=now, by="ada")
    CachePurge.objects.create(kind="all", at=now, by="ada")
    QuotaCount.objects.create(bucket="d|q|consumer:ada", count=1, ends_s=1)
    QuotaReset.objects.create(bucket="d|q|consumer:ada", number=1, count=1, at=now, by="ada")
    PendingChange.objects.create(author="ada", source="admin")
    Schedule.objects.create(
        author="ada", zone="UTC", starts_at=now, edits="[]", summary="nothing", state="waiting"
    )
    Quota.objects.create(name="q", limit=1, per="1s")
    Plan.objects.create(name="gold")
    TopicRule.objects.create(name="orders", topics=["orders.*"])
    RoleScopes.objects.create(name="analyst")
    IdentityProvider.objects.create(name="idp", jwks_url="https://id.example.com/jwks")
    ApiKey.objects.create(consumer=consumer, name="k", prefix="tk_1", digest=b"1")
    Session.objects.create(user=user, expires_at=now)
    KeptRequest.objects.create(at=now, path="/", status=403, duration_ms=1, revision=1)
    WouldRefuse.objects.create(digest="a", first_at=now, last_at=now)
    kept = {"at": now, "event_id": "1", "topic": "t", "body": b"", "size": 0}
    DeadLetter.objects.create(**kept)
    WaitingEvent.objects.create(**kept)
    LiveSocket.objects.create(node="w", number=1, route="mine", service="mine", since=now, seen_at=now)
    SocketEnding.objects.create(at=now, by="ada", what="all connections")
    receiver = AlertReceiver.objects.create(name="ops", url="http://h/")
    incident = Incident.objects.create(
        kind="breaker", key="mine", subject="mine", severity="critical", at=now
    )
    AlertDelivery.objects.create(
        receiver=receiver, incident=incident, event="firing", message_id="m", at=now, next_at=now
    )
    SigningKey.objects.create(kid="1", algorithm="HS256", sealed=b"", activates_at=now)
    SecurityEvent.objects.create(kind="login", at=now)
    LimitedCaller.objects.create(
        digest="a",
        quota="q",
        caller="global",
        first_at=now,
        last_at=now,
        limit=1,
        period="day",
        retry_after_s=1,
    )


_numbers = itertools.count(1)


def more_of(model: type[models.Model], count: int) -> None:
    """Copies of its first row, with other values where no two rows may have the same."""
    if model is AuditEvent:  # a chain: none is a copy
        for number in range(count):
            record(Deed("test.deed", (("routes", f"r{number}"),), "anna"))
        return
    first = model._default_manager.order_by("pk").first()
    assert first is not None, f"{model.__name__} has no row to copy"
    model._default_manager.bulk_create([_copy(first) for _ in range(count)])


def _copy(row: models.Model) -> models.Model:
    found = type(row)._default_manager.get(pk=row.pk)
    key = row._meta.pk
    found.pk = key.get_default() if key.has_default() else None
    together = [
        each.fields[-1] for each in row._meta.constraints if isinstance(each, models.UniqueConstraint)
    ]
    for field in row._meta.concrete_fields:
        if (field.unique or field.name in together) and not field.primary_key:
            setattr(found, field.attname, _other(field, getattr(found, field.attname)))
    return found


def _other(field: Any, value: Any) -> Any:
    """A value that no row has."""
    if value is None:
        return None
    number = next(_numbers)
    if field.is_relation:
        related = field.related_model
        more_of(related, 1)
        return related._default_manager.order_by("-pk").values_list("pk", flat=True).first()
    if isinstance(value, int):
        return value + number
    return bytes(value) + b"%d" % number if isinstance(value, bytes | memoryview) else f"{value}{number}"
