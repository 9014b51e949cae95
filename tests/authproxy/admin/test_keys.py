"""The pages of API keys: a secret is shown once, revoking is for good, and nothing else can be changed."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authproxy import accounts, tickets
from authproxy.admin.keys import find_by_prefix
from authproxy.apikeys import pepper
from authproxy.models import ApiKey, IdentityChange
from tests.support.accesspages import Heard, a_consumer, a_key, access, access_admin, choose, dialog, listed
from tests.support.adminpages import errors, messages, signed_in, viewer

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/authproxy/apikey/"
LIST_QUERIES = 6  # session, user, pending badge, two counts, the page
SECRET = re.compile(r"tor_[0-9A-Za-z]{12}_[0-9A-Za-z]{42}")


@pytest.fixture
def admin() -> Client:
    return signed_in()


def test_new_key_is_shown_once_and_is_kept_nowhere(admin: Client) -> None:
    """In the answer to the very request that made it, which no cache keeps; never again."""
    consumer = a_consumer(scopes=["read", "write"])
    form = {"consumer": consumer.pk, "name": "laptop", "scopes": "read"}
    response = admin.post(access("apikey", "add"), form)
    [secret] = set(SECRET.findall(response.content.decode()))
    assert "no-store" in response["Cache-Control"]
    key = ApiKey.objects.get()
    assert tickets.is_right(secret.encode(), bytes(key.digest), pepper=pepper())
    assert (key.consumer, key.name, key.scopes, key.expires_at) == (consumer, "laptop", ["read"], None)
    pages = (LIST, access("apikey", "change", key.pk), access("consumer", "change", consumer.pk))
    for page in (*pages, access("apikey", "history", key.pk), LIST):
        text = admin.get(page).content.decode()
        assert key.prefix in text or "history" in page
        assert not SECRET.search(text), page
    assert secret not in str(list(LogEntry.objects.values())) + str(dict(admin.session))


def test_the_form_says_what_scopes_do_not_narrow(admin: Client) -> None:
    """A key of staff is as strong as staff where a route asks for a level."""
    text = admin.get(access("apikey", "add")).content.decode()

    assert "They narrow neither its roles nor its level: a key of a staff account opens routes" in text


def test_sending_the_form_twice_makes_one_key(admin: Client) -> None:
    """A reload of the page with the secret is refused."""
    form = {"consumer": a_consumer().pk, "name": "laptop"}
    assert admin.post(access("apikey", "add"), form).status_code == 200
    assert errors(admin.post(access("apikey", "add"), form)) == {"name": ['There is a key "laptop" already.']}
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"scopes": "fly"}, "scopes", "batch does not have fly. It has: read."),
        ({"name": ""}, "name", "required"),
        ({"name": "x" * 101}, "name", "at most 100"),
        ({"consumer": "0"}, "consumer", "valid choice"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}, "expires_at", "past"),
        ({"expires_at_0": "soon"}, "expires_at", "valid date"),
    ],
)
def test_wrong_input_is_told_at_its_field(
    admin: Client, wrong: dict[str, str], field: str, says: str
) -> None:
    """And no key is made."""
    consumer = a_consumer(scopes=["read"])
    form = {"consumer": consumer.pk, "name": "laptop", "expires_at_0": "", "expires_at_1": "", **wrong}
    found = errors(admin.post(access("apikey", "add"), form))
    assert list(found) == [field]
    assert says in " ".join(found[field])
    assert not ApiKey.objects.exists()


def test_key_with_an_end(admin: Client) -> None:
    """In UTC."""
    day = timezone.now().date() + timedelta(days=30)
    form = {"consumer": a_consumer().pk, "name": "x", "expires_at_0": f"{day}", "expires_at_1": "12:00"}
    admin.post(access("apikey", "add"), form)
    expires_at = ApiKey.objects.get().expires_at
    assert expires_at is not None
    assert f"{expires_at:%Y-%m-%d %H:%M}" == f"{day} 12:00"


def test_nobody_makes_a_key_for_a_superuser_but_one() -> None:
    """Whoever administers access would be one by it."""
    root = accounts.consumer_of(User.objects.create_superuser("root"))
    form = {"consumer": root.pk, "name": "x"}
    found = errors(access_admin().post(access("apikey", "add"), form))
    assert "Only a superuser" in found["consumer"][0]
    assert not ApiKey.objects.exists()
    assert signed_in().post(access("apikey", "add"), form).status_code == 200
    assert ApiKey.objects.exists()


def test_one_is_revoked_in_a_dialog(admin: Client, django_capture_on_commit_callbacks: object) -> None:
    """Once; the history and the event say by whom."""
    key = a_key(a_consumer())
    with Heard() as heard, django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        dialog(admin, access("apikey", "revoke", key.pk), reason="was in a log")
        dialog(admin, access("apikey", "revoke", key.pk))
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert heard.told() == [("key_revoked", "anna", "batch")]
    assert IdentityChange.objects.filter(subject=f"key:{key.pk}").count() == 1
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Revoked: was in a log"]


def test_selected_are_revoked(admin: Client) -> None:
    """Those that were so already are not counted."""
    consumer = a_consumer()
    keys = [a_key(consumer, f"key{number}") for number in range(3)]
    dialog(admin, access("apikey", "revoke", keys[0].pk))
    response = choose(admin, LIST, "revoke_selected", keys[:2])
    assert messages(response)[-1] == "Revoked 1 API key: refused everywhere within a second."
    assert [key.revoked_at is None for key in ApiKey.objects.order_by("pk")] == [False, False, True]


def test_key_can_be_neither_changed_nor_deleted(admin: Client) -> None:
    """Not even by a superuser."""
    key = a_key(a_consumer())
    assert admin.post(access("apikey", "change", key.pk), {"name": "other"}).status_code == 403
    assert admin.post(access("apikey", "delete", key.pk), {"post": "yes"}).status_code == 403
    assert ApiKey.objects.get().name == "key"


def test_key_shows_its_rights_and_times(admin: Client) -> None:
    """A key without scopes of its own has its consumer's."""
    text = admin.get(access("apikey", "change", a_key(a_consumer()).pk)).content.decode()
    for shown in ("all of its consumer&#x27;s", "never", "live"):
        assert shown in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["gone", "late", "good"]),
        ("state=live", ["good"]),
        ("state=expired", ["late"]),
        ("state=revoked", ["gone"]),
        ("consumer=BATCH", ["gone", "late", "good"]),
        ("consumer=bat", []),
        ("q=goo", ["good"]),
        ("q=batch", ["gone", "late", "good"]),
    ],
)
def test_filters_and_search(admin: Client, query: str, names: list[str]) -> None:
    """Newest first."""
    consumer = a_consumer()
    a_key(consumer, "good")
    late, gone = a_key(consumer, "late"), a_key(consumer, "gone")
    ApiKey.objects.filter(pk=late.pk).update(expires_at=timezone.now())
    ApiKey.objects.filter(pk=gone.pk).update(revoked_at=timezone.now())
    assert [row.name for row in listed(admin, LIST, query)] == names


def test_only_the_public_part_of_a_key_is_looked_for() -> None:
    """Somebody may paste the whole; what is no key is searched for as text."""
    key = a_key(a_consumer())
    for text in (key.prefix, f" {key.prefix[:7]} ", f"{key.prefix}_secret-of-any-shape"):
        found = find_by_prefix(text)
        assert found is not None
        assert list(found) == [key]
        assert "secret" not in str(found.query)
    for text in ("batch", "tor_", "tor_*", "tos_abc", key.prefix.upper()):
        assert find_by_prefix(text) is None


@pytest.mark.parametrize("size", [2, 70])
def test_list_takes_the_same_queries_at_any_size(admin: Client, size: int) -> None:
    """No query per row."""
    for number in range(size):
        a_key(a_consumer(f"c{number}"))
    admin.get(LIST)
    with CaptureQueriesContext(connection) as queries:
        admin.get(LIST)
    assert len(queries) == LIST_QUERIES, [query["sql"][:100] for query in queries]


def test_viewer_sees_keys_and_touches_none() -> None:
    """Neither a new one nor the end of one."""
    key, client = a_key(a_consumer()), viewer()
    assert client.get(access("apikey", "change", key.pk)).status_code == 200
    assert client.get(access("apikey", "add")).status_code == 403
    assert client.post(access("apikey", "revoke", key.pk), {"_form_submitted": "True"}).status_code == 403
    assert access("apikey", "revoke", key.pk) not in client.get(LIST).content.decode()
    assert ApiKey.objects.get().revoked_at is None
