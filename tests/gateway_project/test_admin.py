"""Accounts in admin: passwords that are stored hashed, what each may do, and who is out of reach."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authproxy import accounts, sessions
from authproxy.models import Consumer
from tests.support.accesspages import Heard, a_consumer, a_key, a_session, access_admin, dialog
from tests.support.adminpages import errors, filled, messages, signed_in, submit

pytestmark = [pytest.mark.store, pytest.mark.django_db]
PASSWORD = "correct horse battery staple"
CONFIRMED = {"_form_submitted": "True"}
LIST_QUERIES = (
    8  # session, user, pending badge, two counts, groups to filter by, the page, and the groups of its rows
)


def test_account_is_added_with_a_password() -> None:
    """The password works and is not readable."""
    data = {"username": "bert", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert signed_in().post("/admin/auth/user/add/", data).status_code == 302
    user = User.objects.get(username="bert")
    assert user.check_password(PASSWORD)
    assert PASSWORD not in user.password


def test_password_is_changed_on_its_own_page() -> None:
    """The form of the account links to it."""
    user = User.objects.create_user("bert")
    url = f"/admin/auth/user/{user.pk}/password/"
    client = signed_in()
    assert "../password/" in client.get(f"/admin/auth/user/{user.pk}/change/").content.decode()
    data = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(url, data).status_code == 302
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_account_page_saves_and_lists_search() -> None:
    """Editing an account keeps the rest of it."""
    user = User.objects.create_user("bert", email="b@example.com")
    client = signed_in()
    data = filled(client, url := f"/admin/auth/user/{user.pk}/change/")
    data = {name: value for name, value in data.items() if name not in ("groups", "user_permissions")}
    joined = user.date_joined
    data |= {"first_name": "Bert", "is_active": "on", "date_joined_0": f"{joined:%Y-%m-%d}"}
    data |= {"date_joined_1": f"{joined:%H:%M:%S}"}
    data.pop("is_superuser", None)
    data.pop("is_staff", None)
    assert client.post(url, data).status_code == 302
    user.refresh_from_db()
    assert (user.first_name, user.email) == ("Bert", "b@example.com")
    assert "bert" in client.get("/admin/auth/user/?q=bert").content.decode()


def test_group_is_added() -> None:
    """Groups hold permissions."""
    assert signed_in().post("/admin/auth/group/add/", {"name": "editors"}).status_code == 302
    assert Group.objects.filter(name="editors").exists()


@pytest.mark.parametrize("name", ["batch", "BATCH", "Bert"])
def test_name_of_a_consumer_or_an_account_is_taken(name: str) -> None:
    """X-Consumer says either, and one must not pass for the other."""
    a_consumer("batch")
    User.objects.create_user("bert")
    data = {"username": name, "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert errors(signed_in().post("/admin/auth/user/add/", data)) == {"username": ["This name is taken."]}


def test_account_page_says_what_it_may_do() -> None:
    """Scopes, its consumer, and how many sessions it has."""
    user = a_session("bert").user
    client, page = signed_in(), f"/admin/auth/user/{user.pk}/change/"
    assert "none yet" in client.get(page).content.decode()
    row = accounts.consumer_of(user)
    row.scopes = ["export"]
    row.save()
    text = client.get(page).content.decode()
    assert "export" in text
    assert f"/admin/authproxy/consumer/{row.pk}/change/" in text
    assert "/admin/authproxy/session/?account=bert&amp;state=live" in text


def test_account_is_made_a_consumer() -> None:
    """Once; its page no longer offers it then."""
    user = User.objects.create_user("bert")
    client, path = signed_in(), f"/admin/auth/user/{user.pk}/make-consumer/"
    response = dialog(client, path)
    row = Consumer.objects.get(user=user)
    assert response["Location"] == f"/admin/authproxy/consumer/{row.pk}/change/"
    assert path not in client.get(f"/admin/auth/user/{user.pk}/change/").content.decode()
    dialog(client, path)
    assert Consumer.objects.count() == 1


def test_account_whose_name_a_consumer_took_is_told() -> None:
    """Names were one space only from some day on."""
    user = User.objects.create_user("batch")
    Consumer.objects.create(name="batch", kind="service")
    client = signed_in()
    response = client.post(
        f"/admin/auth/user/{user.pk}/make-consumer/", {"_form_submitted": "True"}, follow=True
    )
    assert messages(response) == ["Nothing was changed: This name is taken."]


def test_sessions_of_an_account_are_ended() -> None:
    """All of them, and nobody else's."""
    user, _, other = a_session("bert").user, a_session("bert"), a_session("carla")
    dialog(signed_in(), f"/admin/auth/user/{user.pk}/end-sessions/")
    assert list(sessions.live()) == [other]


def test_lost_second_factor_is_removed(django_capture_on_commit_callbacks: Any) -> None:
    """By whoever may, for accounts within reach; it is told."""
    bert, root = User.objects.create_user("bert"), User.objects.create_superuser("root")
    for user in (bert, root):
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    client = access_admin()
    assert client.post(f"/admin/auth/user/{bert.pk}/remove-factors/", CONFIRMED).status_code == 403
    client = signed_in("sec", permissions=("mfa.delete_authenticator",))
    with Heard() as heard, django_capture_on_commit_callbacks(execute=True):
        dialog(client, f"/admin/auth/user/{bert.pk}/remove-factors/", reason="lost the phone")
    assert heard.told() == [("mfa_removed", "sec", "bert")]
    assert client.post(f"/admin/auth/user/{root.pk}/remove-factors/", CONFIRMED).status_code == 403
    assert [row.user for row in Authenticator.objects.all()] == [root]


def test_superuser_is_out_of_reach_of_others() -> None:
    """Neither its page, nor its password, nor its end; and nobody makes oneself one."""
    root = User.objects.create_superuser("root")
    client = access_admin()
    me = User.objects.get(username="sec")
    assert 'name="_save"' not in client.get(f"/admin/auth/user/{root.pk}/change/").content.decode()
    data = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(f"/admin/auth/user/{root.pk}/password/", data).status_code == 403
    assert client.post(f"/admin/auth/user/{root.pk}/delete/", {"post": "yes"}).status_code == 403
    for each in (me, User.objects.create_user("bert")):
        page = f"/admin/auth/user/{each.pk}/change/"
        extra = {
            "is_superuser": "on",
            "is_staff": "on",
            "date_joined_0": "2026-01-01",
            "date_joined_1": "00:00",
        }
        assert submit(client, page, extra).status_code == 302
        each.refresh_from_db()
        assert each.is_superuser is False


def test_nobody_takes_away_the_ground_under_oneself() -> None:
    """One's own account stays active and staff, and is not deleted."""
    client = signed_in()
    me = User.objects.get(username="anna")
    page = f"/admin/auth/user/{me.pk}/change/"
    submit(client, page, {"is_active": "", "date_joined_0": "2026-01-01", "date_joined_1": "00:00"})
    me.refresh_from_db()
    assert (me.is_active, me.is_staff, me.is_superuser) == (True, True, True)
    assert client.post(f"/admin/auth/user/{me.pk}/delete/", {"post": "yes"}).status_code == 403


def test_deleting_says_what_goes_along() -> None:
    """Keys end with the account."""
    row = accounts.consumer_of(User.objects.create_user("bert"))
    a_key(row)
    client, path = signed_in(), f"/admin/auth/user/{row.user_id}/delete/"
    text = client.get(path).content.decode()
    assert "Consumers: 1" in text
    assert "API keys: 1" in text
    assert client.post(path, {"post": "yes"}).status_code == 302
    assert not Consumer.objects.exists()


@pytest.mark.parametrize("size", [2, 70])
def test_list_takes_the_same_queries_at_any_size(size: int) -> None:
    """No query per row."""
    group = Group.objects.create(name="analyst")
    for number in range(size):
        User.objects.create_user(f"user{number}").groups.add(group)
    client = signed_in()
    client.get("/admin/auth/user/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/admin/auth/user/")
    assert len(queries) == LIST_QUERIES, [query["sql"][:100] for query in queries]


def test_path_that_names_nobody_is_no_error() -> None:
    """An account that was deleted meanwhile."""
    client = signed_in()
    for key in ("0", "abc"):
        for what in ("make-consumer", "end-sessions", "remove-factors", "disable"):
            path = f"/admin/auth/user/{key}/{what}/"
            response = client.post(path, CONFIRMED, headers={"HX-Request": "true"})
            assert response.headers.get("HX-Redirect") == "/admin/auth/user/", path
            assert client.post(path, CONFIRMED).status_code == 404, path
