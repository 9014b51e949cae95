"""D: Services that register themselves: from what one sends to its lease, and the list of all services with targets."""

import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from django.conf import settings

from resilience.models import BreakerState
from routing import knowing, leases
from routing.admin import snapshots
from routing.drafts import Actor
from routing.leaseaddresses import Premises
from routing.leases import LeaseRefused
from routing.leasewatch import Standing, running
from routing.leasing import Fault, Scheme, read_registration
from routing.locking import writing
from routing.models import Lease, LeaseState, PendingChange, Service
from routing.problems import ConfigurationInvalid
from routing.publishing import PublishRefused, apply_document
from routing.snapshot import CompiledService, Snapshot
from routing.targets import override_key

Creation = Literal["known", "created", "drafted"]
SOURCE: Final = "discovery"
MOST_SERVICES_OF_ONE: Final = 200
"""So many services may owe their existence to one account's registrations."""
_SCHEME_OF: Final[Mapping[str, Scheme]] = {"https": "https", "h2": "https", "h2c": "http"}
_NOWHERE: Final = Standing({}, frozenset(), None)


class Admitted(NamedTuple):
    """A lease, and what became of its service: there before, published now, or in a draft."""

    lease: Lease
    is_new: bool
    service: Creation


def admit(
    raw: Mapping[str, Any],
    *,
    consumer: str,
    ports: Iterable[int] = (),
    may: Callable[[], bool] = lambda: True,
) -> Admitted | tuple[Fault, ...]:
    """Registers what a service account sends. `ports` are those on which the gateway is asked; `may`: see `register`.

    Raises LeaseRefused and StoreUnavailable.
    """
    read = read_registration(raw, premises(ports))
    if isinstance(read, tuple):
        return read
    read = replace(read, service=_known_as(read.service))
    protocol = _protocol_of(read.service)
    scheme = _SCHEME_OF.get(protocol or "")
    if scheme is not None and read.scheme not in (None, scheme):
        fault = Fault("scheme", "scheme", f'"{read.service}" speaks {protocol}, which needs {scheme}://')
        return (fault,)
    creation = "known" if protocol is not None else _create(read.service, consumer)
    approves = settings.CONFIG.discovery_approval == "auto"
    lease, is_new = leases.register(
        read, consumer=consumer, approves=approves, scheme=scheme or "http", may=may
    )
    return Admitted(lease, is_new, creation)


def premises(ports: Iterable[int] = ()) -> Premises:
    """Where this gateway is; for registrations, and for whoever probes or dials what was registered."""
    config = settings.CONFIG
    return Premises(
        allows_loopback=config.environment != "production",
        ports=frozenset({config.gateway_port, *ports} - {0}),
        names=frozenset({socket.gethostname().lower(), *config.allowed_hosts}),
        is_here=is_here,
    )


def is_here(address: str) -> bool:
    """Whether an address is one of this machine's: only such a one can be bound. Nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def live_snapshot() -> Snapshot | None:
    """What data planes run, compiled; None before the first revision, or where it does not compile here."""
    try:
        kept = snapshots.live()
    except ConfigurationInvalid:
        return None
    return kept.snapshot if kept is not None else None


def services(*, name: str = "", viewer: str | None = None) -> list[dict[str, Any]]:
    """Every service with its targets, or one. `viewer` is the account that asks; None: staff, who see all."""
    wanted = [service for service in _live_services() if name in ("", service.name)]
    out = knowing.left_out(wanted)
    found: dict[str, dict[str, Any]] = {
        service.name: {
            "name": service.name,
            "protocol": service.protocol,
            "targets": _configured(service, out[service.name]),
        }
        for service in wanted
    }
    rows = Lease.objects.filter(ended_at=None)
    show = partial(_leased, failing=_standing().failing, viewer=viewer)
    for lease in (rows.filter(service=name) if name else rows).order_by("service", "url").iterator():
        entry: dict[str, Any] = {"name": lease.service, "protocol": None, "targets": []}
        found.setdefault(lease.service, entry)["targets"].append(show(lease))
    return [found[each] for each in sorted(found)]


def breakers() -> dict[str, str]:
    """closed, open or half_open, by the name of each live service whose breaker some worker or operator told of."""
    able = {service.name for service in _live_services() if service.breaker is not None}
    return {row.service: row.effective for row in BreakerState.objects.all() if row.service in able}


def remembered() -> list[dict[str, Any]] | None:
    """The discovered targets as this process knew them last, where the database cannot be asked."""
    watch = running()
    if watch is None:
        return None
    standing = watch.standing
    return [
        {
            "name": service,
            "protocol": None,
            "targets": [
                _target(
                    each.url,
                    each.weight,
                    origin="lease",
                    state="approved",
                    failing=each.lease in standing.failing,
                )
                for each in targets
            ],
        }
        for service, targets in sorted(dict(standing.targets).items())
    ]


def silent_s() -> float | None:
    """For how long this process's watch has had no answer of the database; None: it has."""
    return _standing().silent_s


def leased_urls() -> dict[str, list[tuple[str, int]]]:
    """URL and weight of approved live leases, by service."""
    found: dict[str, list[tuple[str, int]]] = {}
    rows = Lease.objects.filter(state=LeaseState.APPROVED).order_by("service", "url")
    for service, url, weight in rows.values_list("service", "url", "weight"):
        found.setdefault(service, []).append((url, weight))
    return found


def _standing() -> Standing:
    watch = running()
    return _NOWHERE if watch is None else watch.standing


def _live_services() -> Iterable[CompiledService]:
    snapshot = live_snapshot()
    return snapshot.services.values() if snapshot else ()


def _configured(service: CompiledService, out: frozenset[str]) -> list[dict[str, Any]]:
    return [
        _target(each.url, each.weight, origin="configuration", failing=each.url in out)
        for each in service.targets
    ]


def _leased(lease: Lease, *, failing: frozenset[str], viewer: str | None) -> dict[str, Any]:
    """The lease's id is for whoever made it, and for staff."""
    is_shown = viewer in (None, lease.consumer)
    return _target(
        lease.url,
        lease.weight,
        origin="lease",
        state=lease.state,
        failing=str(lease.pk) in failing,
        lease=str(lease.pk) if is_shown else None,
        registered_by=lease.consumer,
        expires_at=lease.expires_at,
    )


def _target(url: str, weight: int, *, origin: str, **known: Any) -> dict[str, Any]:
    blank = {"state": None, "failing": False, "lease": None, "registered_by": None, "expires_at": None}
    return {"url": url, "weight": weight, "origin": origin, **blank, **known}


def _known_as(name: str) -> str:
    """The service of that name or, where there is none, the one that `<NAME>_SERVICE_URL` means by it, if only one.

    `context_service` registers with the service `context`.
    """
    if Service.objects.filter(name=name).exists():
        return name
    key = override_key(name)
    alike = [each for each in Service.objects.values_list("name", flat=True) if override_key(each) == key]
    return alike[0] if len(alike) == 1 else name


def _protocol_of(name: str) -> str | None:
    """None where there is no such service."""
    row = Service.objects.filter(name=name).values_list("protocol").first()
    return None if row is None else row[0] or "http"


def _create(name: str, consumer: str) -> Creation:
    """Makes a service without targets; a draft of somebody else's is left to be published by them."""
    theirs = Lease.objects.filter(consumer=consumer).order_by().values("service").distinct()
    if theirs.count() >= MOST_SERVICES_OF_ONE:
        raise LeaseRefused("too_many", f"This account registers {MOST_SERVICES_OF_ONE} services already.")
    try:
        with writing():
            if Service.objects.filter(name=name).exists():
                return "known"
            outcome = apply_document(
                {"version": 1, "services": [{"name": name}]},
                actor=Actor(consumer),
                message=f"{name} registered itself",
                source=SOURCE,
                draft=PendingChange.objects.exists(),
            )
    except (ConfigurationInvalid, PublishRefused) as refusal:
        raise LeaseRefused("service", f'The service "{name}" could not be made: {refusal}') from refusal
    return "drafted" if outcome.kind == "drafted" else "created"
