"""Admin's look and sidebar: every item asks for a permission."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.staticfiles import finders
from django.test import Client, RequestFactory
from django.urls import resolve

from gateway_project.unfold import UNFOLD, environment, may, navigation
from routing.models import PendingChange
from tests.support.adminpages import signed_in

pytestmark = pytest.mark.django_db


def request_of(user: Any) -> Any:
    request = RequestFactory().get("/admin/")
    request.user = user
    return request


def items(user: Any) -> list[dict[str, Any]]:
    return [item for group in navigation(request_of(user)) for item in group["items"]]


def test_every_item_leads_somewhere_and_needs_a_permission() -> None:
    """Without permissions nothing is offered; with all, everything."""
    nobody, everybody = AnonymousUser(), User(is_superuser=True, is_active=True)
    for item in items(everybody):
        assert resolve(str(item["link"]))
        assert item["permission"](request_of(nobody)) is False, item["title"]
        assert item["permission"](request_of(everybody)) is True, item["title"]


def test_any_of_the_permissions_is_enough() -> None:
    """The overview is for whoever may see a part of it."""
    request = SimpleNamespace(user=SimpleNamespace(has_perm=lambda name: name == "b"))
    assert may("a", "b")(request) is True  # type: ignore[arg-type]
    assert may("a")(request) is False  # type: ignore[arg-type]


def test_pending_changes_are_counted_beside_their_link() -> None:
    """Nothing pending is no badge, and who may not see them is not told."""
    user = User(is_superuser=True, is_active=True)
    assert not any("badge" in item for item in items(user))
    PendingChange.objects.create(author="ada", source="admin")
    assert [item["badge"] for item in items(user) if "badge" in item] == ["1"]
    assert not any("badge" in item for item in items(AnonymousUser()))


def test_login_page_is_branded_and_needs_nobody() -> None:
    """Torana's name, its style and its icon."""
    text = Client().get("/accounts/login/").content.decode()
    for shown in ("Torana", "/admin/static/torana/admin.css", "/admin/static/torana/icon.svg"):
        assert shown in text
    assert "Sign out" not in text


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("resilience/targethealth", "A target is listed here once"),
        ("resilience/breakerstate", "A breaker is listed here once"),
        ("resilience/quotacount", "Quotas of a day or a month are listed here"),
        ("resilience/cachepurge", "Nobody has purged anything."),
        ("routing/lease", "/discovery/register"),
        ("authproxy/limitedcaller", "Within the last hour no quota has refused anybody"),
        ("routing/quota", "There are no quotas."),
    ],
)
def test_empty_lists_say_why(page: str, said: str) -> None:
    """Nobody is asked to add what cannot be added, nor to take back filters that are not there."""
    client = signed_in()
    text = client.get(f"/admin/{page}/").content.decode()
    assert said in text
    assert "Create a new item" not in text
    assert "Reset filters" not in text
    assert (f'href="/admin/{page}/add/?' in text or f'href="/admin/{page}/add/"' in text) == (
        page == "routing/quota"
    )
    text = client.get(f"/admin/{page}/?q=zzz").content.decode()
    assert "Nothing matches" in text
    assert "Reset filters" in text


@pytest.mark.parametrize("file", ["torana/admin.css", "torana/icon.svg"])
def test_assets_are_there(file: str) -> None:
    """What pages refer to is served."""
    assert finders.find(file) is not None


def test_environment_is_shown() -> None:
    """So that nobody takes production for a sandbox."""
    assert environment(request_of(AnonymousUser())) == ["Testing", "info"]
    assert "Testing" in signed_in().get("/admin/").content.decode()


def test_what_unfold_is_told_exists() -> None:
    """Dotted names in the settings are not checked by anybody else."""
    from django.utils.module_loading import import_string

    for name in (UNFOLD["ENVIRONMENT"], UNFOLD["DASHBOARD_CALLBACK"], UNFOLD["SIDEBAR"]["navigation"]):
        assert callable(import_string(name))
