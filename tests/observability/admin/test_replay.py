"""The page that replays recorded requests."""

import pytest
from django.utils import timezone

from observability.admin import replay as page
from observability.models import KeptRequest
from observability.replay import replaying
from routing.drafts import Actor
from routing.publishing import apply_document
from tests.support.adminpages import signed_in, viewer
from tests.support.configuration import route, service, small
from tests.support.kept import kept

pytestmark = [pytest.mark.store, pytest.mark.django_db]
URL = "/admin/observability/keptrequest/replay/"
FOUND = f"{URL}?found=1"
ANNA = Actor("anna")


@pytest.fixture(autouse=True)
def world() -> None:
    """Three requests, and a draft that sends two of them elsewhere and refuses the third."""
    replaying._kept.clear()
    apply_document({**small(), "services": [service(), service("users", 8002)]}, actor=ANNA)
    for number in range(3):
        kept(f"/orders/{number}", at=timezone.now(), service="orders").save()
    closed = route("two", "/orders/2", auth={"level": "user"})
    apply_document({"version": 1, "routes": [route(to="users"), closed]}, actor=ANNA, draft=True)


def test_the_draft_without_a_word() -> None:
    """The numbers, the groups, and each request with the ways from there."""
    shown = viewer().get(FOUND).content.decode()
    assert "2 would go elsewhere, 1 would be refused." in shown
    assert "orders → users" in shown
    row = KeptRequest.objects.get(path="/orders/2")
    assert f"/admin/observability/keptrequest/{row.pk}/change/" in shown
    assert "configuration=draft" in shown


def test_the_form_comes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks for the rest, which alone compiles and reads requests, and comes without a page around it."""
    client = viewer()
    whole = client.get(URL, {"kind": "refused", "found": "1"}).content.decode()
    part = client.get(URL, {"kind": "refused", "found": "1"}, headers={"HX-Request": "true"}).content.decode()
    assert "2 would go elsewhere, 1 would be refused." in part
    assert ("<form" in part, "<form" in whole) == (False, True)
    monkeypatch.setattr(page, "replay", None)
    shown = client.get(URL, {"kind": "refused"}).content.decode()
    assert 'hx-get="?kind=refused&amp;found=1" hx-trigger="load"' in shown
    assert 'hx-trigger="load"' not in client.get(URL, {"against": "live"}).content.decode()


def test_of_one_kind_and_by_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came meanwhile is not among them."""
    monkeypatch.setattr(page, "PAGE", 1)
    client = viewer()
    first = client.get(URL, {"kind": "elsewhere", "found": "1"})
    assert [item.url for item, _ in first.context["rows"]] == ["/orders/1"]
    kept("/orders/9", at=timezone.now(), service="orders").save()
    query = f"{FOUND}&page={first.context['more']}&kind=elsewhere&{first.context['same_rows']}"
    second = client.get(query)
    assert [item.url for item, _ in second.context["rows"]] == ["/orders/0"]
    assert second.context["more"] is None


def test_what_cannot_be_replayed_is_said() -> None:
    """Beside the field, or instead of numbers."""
    client = viewer()
    assert "Want draft, or the number" in client.get(URL, {"against": "live", "found": "1"}).content.decode()
    assert "There is no revision 99." in client.get(URL, {"against": "99", "found": "1"}).content.decode()
    assert "all would be the same" in client.get(URL, {"against": "1", "found": "1"}).content.decode()


def test_who_may_not_see_the_draft_or_requests() -> None:
    """Both are shown here."""
    for name, permission in (("a", "routing.view_pendingchange"), ("b", "observability.view_keptrequest")):
        assert signed_in(name, permissions=(permission,)).get(URL).status_code == 403


def test_pending_changes_lead_here() -> None:
    """Whoever may not see requests is not led."""
    there = "/admin/routing/pendingchange/"
    assert URL in viewer().get(there).content.decode()
    assert URL not in signed_in("c", permissions=("routing.view_pendingchange",)).get(there).content.decode()
