"""The pages of consumers: what they say, what they refuse, and that they stay fast."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authproxy import accounts
from authproxy.models import ApiKey, Consumer, IdentityChange
from routing.drafts import Actor
from routing.publishing import apply_document
from tests.support.accesspages import Heard, a_consumer, a_key, access, choose, dialog, listed
from tests.support.adminpages import errors, messages, signed_in, submit, viewer

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/authproxy/consumer/"
LIST_QUERIES = (
    9  # session, user, pending badge, two counts, plans, groups, the page, and the roles of its rows
)


@pytest.fixture
def admin() -> Client:
    return signed_in()


@pytest.fixture
def configured() -> None:
    plans, roles = [{"name": "gold"}], [{"name": "analyst", "scopes": ["read"]}]
    apply_document({"version": 1, "plans": plans, "roles": roles}, actor=Actor("test"))


def test_service_is_added_with_everything(admin: Client, configured: None) -> None:
    """Scopes are words, the plan is one of the configuration's."""
    analyst = a_consumer("other", roles=("analyst",)).roles.get()
    form = {
        "name": "batch",
        "kind": "service",
        "plan": "gold",
        "roles": analyst.pk,
        "scopes": "export, import",
    }
    assert submit(admin, access("consumer", "add"), form).status_code == 302
    made = Consumer.objects.get(name="batch")
    assert (made.kind, made.plan, made.scopes, made.enabled) == (
        "service",
        "gold",
        ["export", "import"],
        True,
    )
    assert list(made.roles.all()) == [analyst]
    text = admin.get(access("consumer", "change", made.pk)).content.decode()
    assert "export import read" in text, "what its roles bring is shown, too"


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"name": "BERT"}, "name", "taken"),
        ({"name": "other"}, "name", ""),
        ({"name": "a b"}, "name", "valid"),
        ({"name": ""}, "name", "required"),
        ({"name": "x", "plan": "unheard-of"}, "plan", "valid choice"),
        ({"name": "x", "kind": "robot"}, "kind", "valid choice"),
    ],
)
def test_wrong_input_is_told_at_its_field(
    admin: Client, wrong: dict[str, str], field: str, says: str
) -> None:
    """Names of accounts are taken, in any case."""
    User.objects.create_user("bert")
    a_consumer("other")
    found = errors(submit(admin, access("consumer", "add"), {"kind": "user", **wrong}))
    assert list(found) == [field]
    assert says in " ".join(found[field])


def test_consumer_that_is_an_account_keeps_its_name_and_kind(admin: Client) -> None:
    """They are the account's."""
    bert = User.objects.create_user("bert")
    row = accounts.consumer_of(bert)
    submit(admin, access("consumer", "change", row.pk), {"name": "carla", "kind": "service", "scopes": "x"})
    row.refresh_from_db()
    assert (row.name, row.kind, row.scopes) == ("bert", "user", ["x"])
    assert (
        f"/admin/auth/user/{bert.pk}/change/"
        in admin.get(access("consumer", "change", row.pk)).content.decode()
    )


def test_plan_that_has_gone_is_kept_until_another_is_chosen(admin: Client, configured: None) -> None:
    """Saving something else does not take it away."""
    row = a_consumer(plan="platinum")
    page = access("consumer", "change", row.pk)
    assert "platinum (not in the configuration)" in admin.get(page).content.decode()
    assert submit(admin, page, {"notes": "x"}).status_code == 302
    row.refresh_from_db()
    assert (row.plan, row.notes) == ("platinum", "x")


def test_saving_is_told_to_every_worker(admin: Client) -> None:
    """Scopes are fewer within a second, not when tokens expire."""
    row = a_consumer(scopes=["read"])
    IdentityChange.objects.all().delete()
    submit(admin, access("consumer", "change", row.pk), {"scopes": ""})
    assert IdentityChange.objects.filter(subject=f"consumer:{row.pk}").exists()


def test_one_is_disabled_and_enabled_in_a_dialog(
    admin: Client, django_capture_on_commit_callbacks: object
) -> None:
    """Opening the dialog changes nothing; the history says who did it and why, and so does the event."""
    row = a_consumer()
    with Heard() as heard, django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert dialog(admin, access("consumer", "disable", row.pk), reason="left us").status_code == 302
    row.refresh_from_db()
    assert row.enabled is False
    assert heard.told() == [("consumer_disabled", "anna", "batch")]
    assert IdentityChange.objects.filter(subject=f"consumer:{row.pk}").exists()
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.object_id, str(entry)) == ("anna", str(row.pk), str(entry))
    assert entry.get_change_message() == "Disabled: left us"
    dialog(admin, access("consumer", "enable", row.pk))
    row.refresh_from_db()
    assert row.enabled is True


def test_page_offers_what_would_change_something(admin: Client) -> None:
    """Not both."""
    row = a_consumer()
    text = admin.get(access("consumer", "change", row.pk)).content.decode()
    assert access("consumer", "disable", row.pk) in text
    assert access("consumer", "enable", row.pk) not in text


def test_many_are_disabled_at_once(admin: Client) -> None:
    """Across pages, too; those that are so already are not counted."""
    rows = [a_consumer(f"c{number:02}") for number in range(60)]
    Consumer.objects.filter(pk=rows[0].pk).update(enabled=False)
    response = choose(admin, LIST, "disable_selected", rows[:1], across=True, reason="incident")
    assert messages(response) == ["Disabled 59 consumers: live everywhere within a second."]
    assert not Consumer.objects.filter(enabled=True).exists()
    assert LogEntry.objects.count() == 59


def test_plan_is_assigned_to_the_selected(admin: Client, configured: None) -> None:
    """And taken away again; only those that it changes are noted."""
    rows = [a_consumer("a"), a_consumer("b", plan="gold"), a_consumer("c")]
    choose(admin, LIST, "assign_plan_selected", rows[:2], plan="gold", reason="they pay")
    assert list(Consumer.objects.values_list("name", "plan")) == [("a", "gold"), ("b", "gold"), ("c", "")]
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == [
        'Put on plan "gold": they pay'
    ]
    choose(admin, LIST, "assign_plan_selected", rows, plan="")
    assert not Consumer.objects.exclude(plan="").exists()


def test_plan_that_is_not_there_is_refused(admin: Client, configured: None) -> None:
    """The page asks again, and nothing has changed."""
    rows = [a_consumer("a")]
    response = choose(admin, LIST, "assign_plan_selected", rows, plan="platinum")
    assert "is not one of the available choices" in response.content.decode()
    assert Consumer.objects.get().plan == ""


def test_deleting_says_how_many_keys_go_along(admin: Client) -> None:
    """Whoever may delete consumers need not be able to delete keys, which nobody can."""
    row = a_consumer()
    for number in range(3):
        a_key(row, f"key{number}")
    page = access("consumer", "delete", row.pk)
    text = admin.get(page).content.decode()
    assert "API keys: 3" in text
    assert admin.post(page, {"post": "yes"}).status_code == 302
    assert not ApiKey.objects.exists()
    assert IdentityChange.objects.filter(subject=f"consumer:{row.pk}").exists()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["app", "batch", "bert"]),
        ("q=bat", ["batch"]),
        ("q=bert%40example", ["bert"]),
        ("state=disabled", ["app"]),
        ("kind__exact=user", ["bert"]),
        ("plan=gold", ["batch"]),
        ("plan=-", ["app", "bert"]),
        ("role=analyst", ["batch", "bert"]),
    ],
)
def test_filters_and_search(admin: Client, configured: None, query: str, names: list[str]) -> None:
    """The role of an account counts as its consumer's."""
    batch = a_consumer("batch", plan="gold", roles=("analyst",))
    a_consumer("app")
    Consumer.objects.filter(name="app").update(enabled=False)
    bert = User.objects.create_user("bert", email="bert@example.com")
    bert.groups.add(batch.roles.get())
    accounts.consumer_of(bert)
    assert [row.name for row in listed(admin, LIST, query)] == names


def test_consumer_is_found_by_a_key(admin: Client) -> None:
    """By its beginning as people see it, or by the whole key that somebody found."""
    key = a_key(a_consumer("batch"))
    a_key(a_consumer("app"))
    for text in (key.prefix, key.prefix[:8], f"{key.prefix}_whatever-follows"):
        assert [row.name for row in listed(admin, LIST, f"q={text}")] == ["batch"]


@pytest.mark.parametrize("size", [2, 70])
def test_list_takes_the_same_queries_at_any_size(admin: Client, size: int) -> None:
    """No query per row."""
    for number in range(size):
        a_key(a_consumer(f"c{number}", roles=("analyst",)))
    admin.get(LIST)
    with CaptureQueriesContext(connection) as queries:
        admin.get(LIST)
    assert len(queries) == LIST_QUERIES, [query["sql"][:100] for query in queries]


def test_viewer_sees_everything_and_changes_nothing() -> None:
    """Neither by a form nor by a path."""
    row = a_consumer()
    client = viewer()
    text = client.get(access("consumer", "change", row.pk)).content.decode()
    assert "batch" in text
    assert 'name="_save"' not in text
    assert "New key" not in text
    for what in ("enable", "disable", "new_key"):
        assert client.post(access("consumer", what, row.pk), {"_form_submitted": "True"}).status_code == 403
    assert client.get(access("consumer", "add")).status_code == 403
    row.refresh_from_db()
    assert row.enabled is True


@pytest.mark.parametrize("key", ["0", "abc", "99999999999999999999999"])
def test_row_that_is_not_there_is_no_error(admin: Client, key: str) -> None:
    """A path that somebody made up, or a consumer that was deleted meanwhile."""
    sent, htmx = {"_form_submitted": "True"}, {"HX-Request": "true"}
    response = admin.post(f"{LIST}{key}/disable/", sent, headers=htmx)
    assert response["HX-Redirect"] == LIST
    assert messages(admin.get(LIST)) == ["This consumer is not there any more."]
    assert admin.post(f"{LIST}{key}/disable/", sent).status_code == 404
