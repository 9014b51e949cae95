"""From what a service sends to its lease and its service, and the list of what can answer."""

import socket
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings

from routing import discovery, leases, publishing
from routing.discovery import Admitted, admit, is_here, premises, services
from routing.drafts import Actor
from routing.leases import LeaseRefused
from routing.leasewatch import LeaseWatch, Standing
from routing.leasing import LeasedTarget
from routing.models import Lease, LeaseState, PendingChange, Revision, Service
from routing.publishing import apply_document, rollback
from tests.support.configuration import service, small
from tests.support.leases import registered

pytestmark = [pytest.mark.store, pytest.mark.django_db]
SENT: dict[str, Any] = {"service_name": "orders", "host": "orders", "port": 8001}


def configured(monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, **values))


def admitted(**fields: Any) -> Admitted:
    found = admit({**SENT, **fields}, consumer="robot")
    assert isinstance(found, Admitted), found
    return found


def faults(**fields: Any) -> list[tuple[str, str]]:
    found = admit({**SENT, **fields}, consumer="robot", ports=(8123,))
    assert not isinstance(found, Admitted)
    return [(fault.field, fault.code) for fault in found]


def test_an_unknown_service_is_created() -> None:
    """As a revision by whoever registers, without targets: the lease is in no document."""
    assert admitted().service == "created"
    assert admitted(port=8002).service == "known"
    revision = Revision.objects.get()
    assert (revision.author, revision.source) == ("robot", discovery.SOURCE)
    assert "8001" not in revision.document
    assert Service.objects.get().targets.count() == 0


def test_a_service_is_known_by_its_variables_names() -> None:
    """Case, dashes and a final _service do not matter, unless that is ambiguous or there is one of that very name."""
    apply_document(
        {"version": 1, "services": [_service("geo-maps"), _service("a_b"), _service("a-b")]}, actor=Actor("a")
    )
    assert admitted(service_name="Geo_Maps_service").lease.service == "geo-maps"
    assert admitted(service_name="a-b", port=2).lease.service == "a-b"
    assert admitted(service_name="a.b", port=3) == (Lease.objects.get(url__endswith=":3"), True, "created")


def _service(name: str) -> dict[str, Any]:
    return {"name": name, "targets": [{"url": "http://127.0.0.1:1"}]}


def test_rollback_and_review_leave_leases_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under review a new service is a draft, its lease is there all the same; what was rolled back is made again."""
    apply_document(small(), actor=Actor("ada"))
    assert admitted(service_name="new").service == "created"
    rollback(1, actor=Actor("ada"))
    assert not Service.objects.filter(name="new").exists()
    assert Lease.objects.get().ended_at is None
    assert admitted(service_name="new") == (Lease.objects.get(), False, "created")
    monkeypatch.setattr(publishing, "under_review", lambda: True)
    assert admitted(service_name="newer", port=2).service == "drafted"
    assert Lease.objects.filter(state=LeaseState.APPROVED).count() == 0  # tests are no development
    assert PendingChange.objects.get().author == "robot"


def test_somebodys_draft_is_not_published() -> None:
    """A registration adds to it; whoever made it publishes it."""
    apply_document(small(), actor=Actor("ada"))
    apply_document(small(9), actor=Actor("ada"), draft=True)
    assert admitted(service_name="new").service == "drafted"
    assert Revision.objects.count() == 1


def test_approval(monkeypatch: pytest.MonkeyPatch) -> None:
    """DISCOVERY_APPROVAL says whether a registration waits."""
    assert settings.CONFIG.discovery_approval == "manual"
    assert admitted().lease.state == LeaseState.PENDING
    configured(monkeypatch, discovery_approval="auto")
    assert admitted(port=2).lease.state == LeaseState.APPROVED


def test_scheme_follows_the_service() -> None:
    """A service that speaks HTTPS has no other targets."""
    secure = service("secure", protocol="https", targets=[{"url": "https://10.0.0.1"}])
    apply_document({"version": 1, "services": [secure]}, actor=Actor("ada"))
    assert admitted(service_name="secure").lease.url == "https://orders:8001"
    assert faults(service_name="secure", scheme="http") == [("scheme", "scheme")]
    assert admitted(scheme="https", port=2).lease.url == "https://orders:2"


def test_nothing_is_made_for_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a service nor a lease."""
    assert faults(host="169.254.169.254", port=0) == [("host", "metadata"), ("port", "number")]
    configured(monkeypatch, discovery_approval="auto")
    assert (Service.objects.count(), Lease.objects.count()) == (0, 0)
    monkeypatch.setattr(discovery, "MOST_SERVICES_OF_ONE", 1)
    admitted()
    with pytest.raises(LeaseRefused, match="1 services"):
        admitted(service_name="another", port=2)
    assert Service.objects.count() == 1


def test_a_service_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal says why."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise publishing.PublishRefused("not now")

    monkeypatch.setattr(discovery, "apply_document", refuse)
    with pytest.raises(LeaseRefused, match="could not be made: not now") as refusal:
        admitted()
    assert refusal.value.reason == "service"


def test_premises(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ports on which the gateway is asked, and the addresses of this machine."""
    configured(monkeypatch, gateway_port=0, environment="production")
    found = premises((8123,))
    assert (found.ports, found.allows_loopback) == ({8123}, False)
    assert socket.gethostname().lower() in found.names
    assert [is_here(address) for address in ("127.0.0.1", "192.0.2.1", "2001:db8::1", "name")] == [
        True,
        False,
        False,
        False,
    ]
    assert faults(host="127.0.0.1", port=8123) == [("host", "itself")]
    assert faults(host="localhost") == [("host", "loopback")]


def test_listing() -> None:
    """Configured and discovered targets by service; a lease's id is for its owner and for staff."""
    apply_document(small(), actor=Actor("ada"))
    mine = registered(port=1).lease
    registered("else", port=2, by="other", approves=False)
    listed = {each["name"]: each["targets"] for each in services(viewer="robot")}
    assert [target["url"] for target in listed["orders"]] == ["http://127.0.0.1:8001", "http://orders:1"]
    assert [target["origin"] for target in listed["orders"]] == ["configuration", "lease"]
    assert (listed["orders"][1]["lease"], listed["else"][0]["lease"]) == (str(mine.pk), None)
    assert listed["else"][0]["state"] == "pending"
    assert all(each["lease"] for name in ("else",) for each in services(name=name)[0]["targets"])
    assert [each["name"] for each in services(name="orders")] == ["orders"]
    assert discovery.leased_urls() == {"orders": [("http://orders:1", 1)]}


def test_listing_before_anything_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing, or the leases alone; a configuration that does not compile here leaves them, too."""
    assert (services(), discovery.live_snapshot(), discovery.remembered()) == ([], None, None)
    registered()
    assert [each["name"] for each in services()] == ["orders"]
    apply_document({"version": 1, "services": [service("needs", port=1)]}, actor=Actor("ada"))
    monkeypatch.setattr(
        discovery.snapshots, "live", lambda: (_ for _ in ()).throw(discovery.ConfigurationInvalid([]))
    )
    assert [each["name"] for each in services()] == ["orders"]


def test_what_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch's targets, and what it knows of their checks."""
    lease = registered().lease
    target = LeasedTarget(str(lease.pk), "http://orders:1", 1, "/health", 30.0, None)

    class Watch:
        standing = Standing({"orders": (target,)}, frozenset({target.lease}), 4.0)

    monkeypatch.setattr(discovery, "running", Watch)
    remembered = discovery.remembered()
    assert remembered is not None
    assert [(each["url"], each["failing"]) for each in remembered[0]["targets"]] == [
        ("http://orders:1", True)
    ]
    assert services()[0]["targets"][0]["failing"]
    assert discovery.silent_s() == 4.0
    assert LeaseWatch.standing.fget is not None
    assert leases.newest() == 1
