"""Every page, action and inline of admin against every kind of account: nobody may do more than its role says."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.sites import AdminSite
from django.contrib.auth.models import Group, User
from django.db import models, transaction
from django.http import HttpRequest
from django.template.response import SimpleTemplateResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, reverse

from routing.models import (
    Route,
    Service,
)
from tests.support.everyrow import a_row_of_each
from tests.support.rights import ACTIONS, INLINES, KINDS, MODELS, OTHERS, PAGES

pytestmark = pytest.mark.django_db
STANDARD = ("changelist", "add", "change", "delete", "history")
POSTED = (
    "routing_draft_comment",
    "routing_draft_publish",
    "routing_draft_reject",
    "routing_draft_discard",
    "realtime_live_token",
    "logout",
)


@pytest.fixture(autouse=True)
def _unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Views run to their end, but nobody looks at hundreds of pages here: they are not written out.

    What surrounds every page, the menu above all, is as long to make as the page: once for each account.
    """
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    surround = admin.site.each_context
    known: dict[Any, dict[str, Any]] = {}

    def once(request: HttpRequest) -> dict[str, Any]:
        account = request.user.pk
        if account not in known:
            known[account] = surround(request)
        return {**known[account]}

    monkeypatch.setattr(admin.site, "each_context", once)


@pytest.fixture
def world() -> None:
    """A row of everything."""
    a_row_of_each()


def account(kind: str) -> User:
    """An account of a kind, named like it."""
    user: User = User.objects.create_user(KINDS[kind], is_staff=True, is_superuser=kind == "A")
    if kind in "VOEPS":
        user.groups.add(Group.objects.get(name=KINDS[kind]))
    if kind == "W":
        user.groups.add(Group.objects.get(name="team"))
    return user


def differences(kind: str, found: dict[str, bool], table: dict[str, str]) -> dict[str, str]:
    """Where the account may what the table does not say, or the other way round; what only one of them knows."""
    wrong = {
        name: "may" if may else "may not"
        for name, may in found.items()
        if may != (kind in table.get(name, ""))
    }
    return wrong | {name: "in one of them only" for name in found.keys() ^ table.keys()}


def may(client: Client, url: str, *, post: bool = False) -> bool:
    """Whether a page opens, or takes what is sent; nothing that it does stays."""
    with transaction.atomic():
        response = client.post(url) if post else client.get(url)
        transaction.set_rollback(True)
    if response.status_code == 302 and response["Location"] == reverse("admin:index"):
        return url == reverse("admin:login")  # else a row that is not there for this account
    if response.status_code == 302 and not post:
        response = client.get(response["Location"])
    assert response.status_code in (200, 302, 403, 404, 405), url
    return response.status_code in (200, 302)


def label(model: type[models.Model]) -> str:
    return model._meta.label_lower


def registered() -> dict[str, Any]:
    return {label(model): page for model, page in admin.site._registry.items()}


def paths(model: type[models.Model], key: Any) -> dict[str, tuple[str, bool]]:
    """The standard pages of a row, and whether they are asked with POST."""
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    change = reverse(f"{base}_change", args=[key])
    return {
        "list": (reverse(f"{base}_changelist"), False),
        "see": (change, False),
        "history": (reverse(f"{base}_history", args=[key]), False),
        "add": (reverse(f"{base}_add"), False),
        "change": (change, True),
        "delete": (reverse(f"{base}_delete", args=[key]), False),
    }


def row_of(page: Any) -> models.Model | None:
    rows = page.model._default_manager
    return rows.filter(name="mine").first() if page.model in (Service, Route) else rows.first()


@pytest.mark.parametrize("kind", KINDS)
def test_pages_of_rows(world: None, kind: str) -> None:
    """List, row, history, add, change, delete of every kind of row."""
    client = Client()
    client.force_login(account(kind))
    table, found = {}, {}
    for name, page in registered().items():
        see, add, change, delete = MODELS[name]
        row = row_of(page)
        allowed = {"list": see, "see": see, "history": see, "add": add, "change": change, "delete": delete}
        if name == "routing.routedefaults":
            row = SimpleNamespace(pk=1)  # type: ignore[assignment]
        assert row is not None, name
        for what, (url, post) in paths(page.model, row.pk).items():
            table[f"{name} {what}"] = allowed[what]
            found[f"{name} {what}"] = may(client, url, post=post)

    assert differences(kind, found, table) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_others(world: None, kind: str) -> None:
    """An owner neither sees nor changes what it does not own; everybody else is as before."""
    client = Client()
    client.force_login(account(kind))
    for name in OTHERS:
        page = registered()[name]
        row = page.model._default_manager.get(name="theirs")
        see, _add, change, delete = (allowed.replace("W", "") for allowed in MODELS[name])
        known = {"see": kind in see, "change": kind in change, "delete": kind in delete}
        asked = paths(page.model, row.pk)
        found = {what: may(client, asked[what][0], post=asked[what][1]) for what in known}
        assert found == known, name


def extra_pages() -> Iterator[tuple[str, str]]:
    """Name and address of every page of admin's that is not one of the standard ones of a row."""
    standard = {f"{page.model._meta.app_label}_{page.model._meta.model_name}_{what}" for page in registered().values()
                for what in STANDARD}  # fmt: skip
    site: AdminSite = admin.site
    for name in sorted(_names(site.get_urls()) - standard):
        yield name, _address(name)


def _names(patterns: list[URLPattern | URLResolver]) -> set[str]:
    found: set[str] = set()
    for each in patterns:
        if isinstance(each, URLResolver):
            found |= _names(each.url_patterns)
        elif each.name:
            found.add(each.name)
    return found


def _address(name: str) -> str:
    if name == "app_list":
        return reverse("admin:app_list", args=["routing"])
    if name == "view_on_site":
        return reverse("admin:view_on_site", args=[1, 1])
    if name == "autocomplete":
        return f"{reverse('admin:autocomplete')}?app_label=routing&model_name=route&field_name=service"
    page = next(
        (page for label, page in registered().items() if name.startswith(f"{label.replace('.', '_')}_")), None
    )
    try:
        return reverse(f"admin:{name}")
    except Exception:
        assert page is not None
        row = row_of(page)
        assert row is not None
        return reverse(f"admin:{name}", args=[row.pk])


@pytest.mark.parametrize("kind", KINDS)
def test_other_pages(world: None, kind: str) -> None:
    """Explain, publish, roll back, enable, revoke and so on; a page that the table does not know fails."""
    user = account(kind)
    found, client = {}, Client()
    client.force_login(user)
    for name, url in extra_pages():
        found[name] = may(client, url, post=name in POSTED)
        if not client.cookies[settings.SESSION_COOKIE_NAME].value:
            client.force_login(user)  # the page was the one that signs out

    assert differences(kind, found, PAGES) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_actions_of_lists(world: None, kind: str) -> None:
    """Which actions a list offers; Django refuses those that it does not offer."""
    request: Any = RequestFactory().get("/admin/")
    request.user = account(kind)
    found = {name: set(page.get_actions(request)) for name, page in registered().items()}
    known = {name: {action for action, who in ACTIONS.get(name, {}).items() if kind in who} for name in found}

    assert found == known


@pytest.mark.parametrize("kind", KINDS)
def test_inlines(world: None, kind: str) -> None:
    """Parts of a row follow its owner."""
    request: Any = RequestFactory().get("/admin/")
    request.user = account(kind)
    found, table = {}, {}
    for name, page in registered().items():
        for inline in (each(page.model, admin.site) for each in page.inlines):
            row, key = row_of(page), (name, label(inline.model))
            for what, who in zip(("view", "add", "change", "delete"), INLINES[key], strict=True):
                place = f"{key} {what}"
                table[place] = who
                found[place] = bool(getattr(inline, f"has_{what}_permission")(request, row))

    assert differences(kind, found, table) == {}


def test_only_a_superuser_makes_superusers(world: None) -> None:
    """Nor may anybody else touch an account that is one: whoever has its password is it."""
    target, other = account("A"), User.objects.get(username="bert")
    client = Client()
    client.force_login(account("S"))
    form = client.get(reverse("admin:auth_user_change", args=[other.pk])).context_data["adminform"].form
    password = {"password1": "correct horse battery", "password2": "correct horse battery"}
    statuses = [
        client.post(reverse(f"admin:auth_user_{what}", args=[target.pk]), data).status_code
        for what, data in (("change", {}), ("delete", {"post": "yes"}), ("password_change", password))
    ]

    assert not {"is_superuser", "user_permissions"} & form.fields.keys()
    assert statuses == [403, 403, 403]


def test_stranger_is_sent_to_sign_in(world: None) -> None:
    """Every page of admin's but those that hold no data leads to sign-in, and back."""
    open_to_all = {"login", "logout", "jsi18n"}
    urls = [url for name, url in extra_pages() if name not in open_to_all]
    urls += [url for page in registered().values() if (row := row_of(page)) is not None
             for url, _post in paths(page.model, row.pk).values()]  # fmt: skip
    client = Client()
    for url in urls:
        response = client.get(url)
        assert response.status_code == 302, url
        assert response["Location"].startswith("/admin/login/?next="), url


def test_owner_acts_on_its_own_rows_only(world: None) -> None:
    """Whatever else it sees and selects: an owner who is a viewer, too, sees all and disables what is its own."""
    user = account("W")
    user.groups.add(Group.objects.get(name="viewer"))
    client = Client()
    client.force_login(user)
    keys = list(Route.objects.values_list("pk", flat=True))
    data = {"action": "disable_selected", "_selected_action": keys, "confirmed": "yes"}
    client.post(reverse("admin:routing_route_changelist"), data)
    theirs = reverse("admin:routing_route_disable", args=[Route.objects.get(name="theirs").pk])

    assert client.post(theirs, {"_form_submitted": "on"}).status_code == 403
    assert dict(Route.objects.values_list("name", "enabled")) == {"mine": False, "theirs": None}
