"""What is registered: every page opens for a viewer, and none carries a script of ours inside."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.test import Client

from routing.drafts import Actor
from routing.models import IdentityProvider, Node, Plan, Revision, RoleScopes, Route, Service
from routing.publishing import apply_document
from tests.support.adminpages import page, signed_in, viewer
from tests.support.configuration import small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ACTIONS = ("actions_list", "actions_row", "actions_detail", "actions_submit_line")
PROVIDER = {"name": "i", "issuer": "i", "audience": "a", "jwks_url": "https://id.test/keys"}
READING = {
    "compare",
    "duplicate",
    "explain",
    "document",
    "plan",
    "traffic",
}  # they lead somewhere and change nothing


def pages() -> Iterator[str]:
    yield "/admin/"
    yield "/admin/routing/explain/"
    yield "/admin/routing/routedefaults/1/change/"
    yield "/admin/auth/user/"
    yield "/admin/auth/group/"
    for model in (Service, Route, RoleScopes, Plan, IdentityProvider, Revision, Node):
        kind = str(model._meta.model_name)
        yield page(kind, "changelist")
        yield from (page(kind, what, row.pk) for row in model.objects.all() for what in ("change", "history"))
    yield page("pendingchange", "changelist")


@pytest.fixture
def configured() -> None:
    from django.utils import timezone

    policies = {"roles": [{"name": "r"}], "plans": [{"name": "p"}], "identity_providers": [PROVIDER]}
    apply_document({**small(), **policies}, actor=Actor("ada"))
    Node.objects.create(name="w", pid=1, role="all", heartbeat=timezone.now())


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("client", [viewer, signed_in])
def test_every_page_opens(client: object) -> None:
    """For a superuser and for somebody who may only look."""
    browser: Client = client()  # type: ignore[operator]
    assert {url: browser.get(url, follow=True).status_code for url in pages()} == dict.fromkeys(pages(), 200)


class _Scripts(HTMLParser):
    """Collects what a Content-Security-Policy without inline scripts would block."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[str] = []
        self._is_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_data = given.get("type") == "application/json"  # which no browser runs
        self._is_script = tag == "script" and not given.get("src") and not is_data
        for name, value in attrs:
            if re.fullmatch(r"on[a-z]+", name) or (value or "").lower().startswith("javascript:"):
                self.blocked.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        if self._is_script and data.strip():
            self.blocked.append(data.strip()[:60])

    def handle_endtag(self, tag: str) -> None:
        self._is_script = False


@pytest.mark.usefixtures("configured")
def test_pages_keep_to_their_policy() -> None:
    """No page needs an inline script, and each says so in its header."""
    browser = signed_in()
    for url in pages():
        response = browser.get(url)
        parser = _Scripts()
        parser.feed(response.content.decode())
        assert parser.blocked == [], url
        policy = response.headers["Content-Security-Policy"]
        assert "script-src 'self' 'unsafe-eval'" in policy
        assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]


@pytest.mark.parametrize(
    "kind", [model for model in admin.site._registry if model._meta.app_label == "routing"]
)
def test_every_action_that_changes_something_asks_first(kind: type) -> None:
    """An action without a dialog would run on a mere link."""
    registered = admin.site._registry[kind]
    for collection in ACTIONS:
        for name in getattr(registered, collection):
            method = getattr(registered, name)
            assert hasattr(method, "dialog") or name in READING, name
            assert getattr(method, "allowed_permissions", None), name


def test_all_of_the_configuration_has_pages() -> None:
    """What a document can say can be edited."""
    names = {model._meta.model_name for model in admin.site._registry if model._meta.app_label == "routing"}
    assert {"service", "route", "quota", "rolescopes", "plan", "identityprovider"} <= names
