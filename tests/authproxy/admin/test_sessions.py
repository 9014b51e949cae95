"""The pages of sessions: who is signed in from where, and ending that."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authproxy import sessions
from authproxy.models import IdentityChange, Session
from tests.support.accesspages import Heard, a_session, access, choose, dialog, listed
from tests.support.adminpages import messages, signed_in, viewer

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/authproxy/session/"
LIST_QUERIES = 6  # session, user, pending badge, two counts, the page


@pytest.fixture
def admin() -> Client:
    return signed_in()


def test_one_is_ended_in_a_dialog(admin: Client, django_capture_on_commit_callbacks: object) -> None:
    """Others go on; the event says by whom."""
    first, second = a_session(), a_session()
    with Heard() as heard, django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        dialog(admin, access("session", "end", first.pk))
    assert [session.pk for session in sessions.live()] == [second.pk]
    first.refresh_from_db()
    assert first.end_reason == "ended by staff"
    assert heard.told() == [("session_ended", "anna", "bert")]
    assert IdentityChange.objects.filter(subject=f"session:{first.pk}").exists()


def test_all_of_an_account_are_ended(admin: Client) -> None:
    """Of that account only."""
    first, _, other = a_session(), a_session(), a_session("carla")
    response = admin.post(access("session", "end_all", first.pk), {"_form_submitted": "True"}, follow=True)
    assert messages(response) == ["Ended 2 sessions: refused everywhere within a second."]
    assert [session.pk for session in sessions.live()] == [other.pk]


def test_selected_are_ended(admin: Client) -> None:
    """Those that have ended already are not counted."""
    rows = [a_session(f"user{number}") for number in range(3)]
    sessions.end(rows[0], reason="logout", by="user0")
    response = choose(admin, LIST, "end_selected", rows[:2])
    assert messages(response) == ["Ended 1 session: refused everywhere within a second."]
    assert [session.pk for session in sessions.live()] == [rows[2].pk]


def test_page_shows_no_secret(admin: Client) -> None:
    """Neither the cookie nor its hash."""
    session = a_session()
    text = admin.get(access("session", "change", session.pk)).content.decode()
    assert "curl/8" in text
    assert "digest" not in text.lower()
    assert bytes(session.digest).hex() not in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["carla", "anton", "bert"]),
        ("state=live", ["anton"]),
        ("state=expired", ["bert"]),
        ("state=ended", ["carla"]),
        ("account=Bert", ["bert"]),
        ("q=192.0.2.9", ["carla"]),
        ("q=ant", ["anton"]),
    ],
)
def test_filters_and_search(admin: Client, query: str, names: list[str]) -> None:
    """Whoever was here last comes first."""
    a_session("anton")
    Session.objects.filter(pk=a_session("bert").pk).update(expires_at=timezone.now())
    sessions.end(a_session("carla", address="192.0.2.9"), reason="logout", by="carla")
    assert [row.user.username for row in listed(admin, LIST, query)] == names


@pytest.mark.parametrize("size", [2, 70])
def test_list_takes_the_same_queries_at_any_size(admin: Client, size: int) -> None:
    """No query per row."""
    for number in range(size):
        a_session(f"user{number}")
    admin.get(LIST)
    with CaptureQueriesContext(connection) as queries:
        admin.get(LIST)
    assert len(queries) == LIST_QUERIES, [query["sql"][:100] for query in queries]


@pytest.mark.parametrize("key", ["0", "not-a-uuid", "1b4e28ba-2fa1-11d2-883f-0016d3cca427"])
@pytest.mark.parametrize("what", ["end", "end-all"])
def test_session_that_is_not_there_is_no_error(admin: Client, key: str, what: str) -> None:
    """A path that somebody made up, or a session that was pruned meanwhile."""
    sent, htmx = {"_form_submitted": "True"}, {"HX-Request": "true"}
    assert admin.post(f"{LIST}{key}/{what}/", sent, headers=htmx)["HX-Redirect"] == LIST
    assert admin.post(f"{LIST}{key}/{what}/", sent).status_code == 404


def test_viewer_sees_sessions_and_ends_none() -> None:
    """By no path."""
    session, client = a_session(), viewer()
    assert client.get(access("session", "change", session.pk)).status_code == 200
    for what in ("end", "end_all"):
        assert (
            client.post(access("session", what, session.pk), {"_form_submitted": "True"}).status_code == 403
        )
    assert client.post(access("session", "delete", session.pk), {"post": "yes"}).status_code == 403
    assert sessions.live().exists()
