"""The import page: what an OpenAPI document would change and break, and then the change itself."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from routing.models import PendingChange, Revision, Route
from tests.support.adminpages import messages, signed_in, viewer
from tests.support.shop import shop

pytestmark = pytest.mark.django_db
URL = "/admin/routing/import/openapi/"


def sent(client: Client, raw: Any = None, **data: Any) -> Any:
    text = json.dumps(shop() if raw is None else raw)
    return client.post(URL, {"text": text, "service": "shop", "path_prefix": "/shop", **data}, follow=True)


def test_address_is_where_links_lead() -> None:
    """The sidebar leads here."""
    assert reverse("admin:routing_import_openapi") == URL
    assert URL in signed_in().get("/admin/").content.decode()


def test_nothing_changes_before_it_was_shown() -> None:
    """The preview tells what would change, and what is not carried over."""
    page = sent(signed_in(), preview="").content.decode()

    assert not Route.objects.exists()
    assert "shop-createOrder" in page
    assert "path parameter id may be any text" in page
    assert "What would break" not in page


def test_a_file_takes_the_place_of_the_text() -> None:
    """It is kept as a text for the next step."""
    file = SimpleUploadedFile("shop.json", json.dumps(shop()).encode())
    response = sent(signed_in(), text="nonsense", file=file, preview="")

    assert "shop-createOrder" in response.content.decode()
    assert json.loads(response.context["form"].initial["text"]) == shop()


def test_published() -> None:
    """As a revision, whose message says what it was."""
    response = sent(signed_in(), publish="")

    assert "Published as revision 1" in messages(response)[0]
    assert Route.objects.count() == 4
    assert Revision.objects.get().message == "Import OpenAPI for shop"


def test_kept_as_a_draft() -> None:
    """The next page is the one where it is published."""
    response = sent(signed_in(), draft="")

    assert response.redirect_chain[-1][0] == reverse("admin:routing_pendingchange_changelist")
    assert PendingChange.objects.exists()
    assert not Revision.objects.exists()


def test_breaking_changes_are_shown_first() -> None:
    """Against the routes that are there."""
    client = signed_in()
    sent(client, publish="")
    raw = shop()
    del raw["paths"]["/orders/{id}"]
    page = sent(client, raw, preview="").content.decode()

    assert "GET /shop/orders/{id}: removed" in page
    assert "Nothing changed" in page


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"text": ""}, "Choose a file"),
        ({"text": "swagger: '2.0'"}, "Swagger 2.0"),
        ({"text": "a: [b"}, "line 2, column 1"),
        ({"service": ""}, "This field is required"),
        ({"service": "a b"}, "not a name"),
        ({"file": SimpleUploadedFile("a.yaml", b"\xff")}, "not UTF-8"),
        ({"file": SimpleUploadedFile("a.yaml", b"a" * (2 << 20) + b"a")}, "larger than 2 MB"),
        ({"url": "ftp://a"}, "must begin with http"),
        ({"path_prefix": "/admin"}, "is never reached"),
    ],
)
def test_refusals(data: dict[str, Any], why: str) -> None:
    """On the page, and nothing is changed."""
    response = sent(signed_in(), preview="", **data)

    assert response.status_code == 200
    assert why in response.content.decode()
    assert not Route.objects.exists()


def test_only_for_those_who_may_change_routes_and_services() -> None:
    """Neither to look nor to import."""
    assert viewer().get(URL).status_code == 403
    assert sent(viewer(), publish="").status_code == 403
