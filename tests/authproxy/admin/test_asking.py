"""Asking before something changes: what the page shows and hands on, and where one goes afterwards."""

import pytest
from django.test import RequestFactory

from authproxy.admin.asking import LISTED, go_back, one
from authproxy.models import Consumer, Session
from tests.support.accesspages import a_consumer
from tests.support.adminpages import signed_in

pytestmark = pytest.mark.django_db
LIST = "/admin/authproxy/consumer/"


def test_question_lists_some_and_counts_the_rest() -> None:
    """All selected rows go along to the second step, however many there are."""
    rows = [a_consumer(f"c{number}") for number in range(LISTED + 5)]
    data = {"action": "disable_selected", "_selected_action": [row.pk for row in rows]}
    text = signed_in().post(LIST, data).content.decode()
    assert f"Disable {LISTED + 5} consumers?" in text
    assert "and 5 more" in text
    assert text.count('name="_selected_action"') == LISTED + 5
    assert "refused everywhere within a second" in text
    assert not Consumer.objects.filter(enabled=False).exists()


@pytest.mark.parametrize(
    ("current", "there"),
    [
        ("http://testserver/admin/authproxy/consumer/?state=enabled&p=2", "same"),
        ("https://evil.example/admin/", "/otherwise/"),
        ("//evil.example/", "/otherwise/"),
        ("javascript:alert(1)", "/otherwise/"),
        ("", "/otherwise/"),
    ],
)
def test_dialog_leads_back_to_where_it_was_opened(current: str, there: str) -> None:
    """With the list's filters, but to no other site."""
    request = RequestFactory().post("/", headers={"HX-Request": "true", "HX-Current-URL": current})
    answer = go_back(request, "/otherwise/")
    assert answer["HX-Redirect"] == (current if there == "same" else there)


def test_without_script_it_is_a_redirect() -> None:
    """A form that was sent as usual."""
    assert go_back(RequestFactory().post("/"), "/otherwise/")["Location"] == "/otherwise/"


@pytest.mark.parametrize("path", ["", "abc", "-1", "9" * 30, "1b4e28ba-2fa1-11d2-883f-0016d3cca427"])
def test_path_that_names_no_row_finds_none(path: str) -> None:
    """Whatever is in it."""
    a_consumer()
    assert not one(Consumer.objects.all(), path).exists()
    assert not one(Session.objects.all(), path).exists()


def test_path_names_a_row() -> None:
    """As text, which is what paths hold."""
    row = a_consumer()
    assert one(Consumer.objects.all(), str(row.pk)).get() == row
