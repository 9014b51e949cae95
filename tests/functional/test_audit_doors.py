"""Every door that changes something leaves exactly one event: who, by which door, about what; a refusal leaves none."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from authproxy import accounts, apikeys, consumers, quotaresets, sessions
from authproxy.models import ApiKey, Consumer
from observability.audit.chain import Verified
from realtime.bus import kept
from realtime.bus.adapter import Message
from realtime.ending import end_all
from realtime.models import DeadLetter
from resilience.breaker import State
from resilience.models import QuotaCount
from routing.breaking import force, reset
from routing.drafts import Actor
from routing.draining import drain
from routing.models import Service
from routing.ordering import OrderRefused
from routing.publishing import apply_document, rollback
from routing.purging import purge
from routing.readmitting import readmit
from tests.support.adminpages import page, signed_in, submit
from tests.support.cli import gateway, written
from tests.support.configuration import route, service
from tests.support.endpoints import PASSWORD, Endpoints
from tests.support.trail import events, newest, state

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ANNA = Actor("anna")
BUCKET = "m|free|consumer:shop"


@pytest.fixture(autouse=True)
def _world() -> None:
    orders = {
        **service("orders", 8001, breaker={}),
        "targets": [{"url": "http://127.0.0.1:8001"}, {"url": "http://127.0.0.1:8002"}],
    }
    document = {"version": 1, "services": [orders], "routes": [route("orders", "/orders", "orders")]}
    apply_document(document, actor=Actor("first"))
    Consumer.objects.create(name="shop", kind="service")
    User.objects.create_user("bert", password=PASSWORD)


def shop() -> Consumer:
    """The consumer that is there."""
    return Consumer.objects.get(name="shop")


def a_key() -> ApiKey:
    """A key of it."""
    return apikeys.create(shop(), "till", by="anna")[0]


def admin_form() -> None:
    """A route's form."""
    from routing.models import Route

    url = page("route", "change", Route.objects.get(name="orders").pk)
    assert submit(signed_in("anna"), url, {"name": "renamed"}).status_code == 302


def admin_inline() -> None:
    """A target, in its row of the service's form."""
    url = page("service", "change", Service.objects.get(name="orders").pk)
    form = {"targets-0-url": "http://127.0.0.1:8003"}
    assert submit(signed_in("anna"), url, form).status_code == 302


def api() -> None:
    """A breaker, forced by the control API."""
    user = User.objects.create_user("anna", password=PASSWORD, is_staff=True, is_superuser=True)
    client = Endpoints()
    token = str(client.signed_in(user.username)["access"])
    client.cookies.clear()
    body = {"force": "open", "reason": "It burns"}
    assert client.send("/control/v1/breakers/orders", body, token=token).status_code == 200


def signing_in() -> None:
    """Staff, at admin's own page."""
    User.objects.create_user("anna", password=PASSWORD, is_staff=True)
    Client().post(reverse("account_login"), {"login": "anna", "password": PASSWORD})


def wrong_password() -> None:
    """Somebody who guesses."""
    User.objects.create_user("anna", password=PASSWORD, is_staff=True)
    Client().post(reverse("account_login"), {"login": "anna", "password": "wrong"})


def cli_apply(folder: Path) -> None:
    """A document, applied on the command line."""
    file = written(folder, {"version": 1, "routes": [route("more", "/more", "orders")]})
    assert gateway("apply", file, "--as", "anna", "-m", "More").code == 0


def end_session() -> None:
    """Somebody's session, by an operator."""
    opened = sessions.open(User.objects.get(username="bert"), address="", user_agent="")
    sessions.end(opened.session, reason="lost", by="anna")


def own_password() -> None:
    """Staff, on their own page."""
    User.objects.create_user("anna", password=PASSWORD, is_staff=True)
    client = Client()
    client.post(reverse("account_login"), {"login": "anna", "password": PASSWORD})
    given = {"oldpassword": PASSWORD, "password1": f"{PASSWORD}-new", "password2": f"{PASSWORD}-new"}
    assert client.post(reverse("account_change_password"), given).status_code == 302


def own_factor() -> None:
    """An app that makes codes; recovery codes come with it."""
    user = User.objects.create_user("anna", password=PASSWORD, is_staff=True)
    client = Client()
    client.post(reverse("account_login"), {"login": "anna", "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.get(reverse("mfa_activate_totp"))
    code = totp.format_hotp_value(
        totp.hotp_value(client.session["mfa.totp.secret"], next(totp.yield_hotp_counters_from_time()))
    )
    assert client.post(reverse("mfa_activate_totp"), {"code": code}).status_code == 302
    assert Authenticator.objects.filter(user=user).exists()


def throw_letters_away() -> None:
    """Messages that nobody could handle."""
    for number in range(2):
        kept.bury(Message(f"e{number}", "orders.made", "", b"{}", "application/json", {}), "no room", "out")
    assert kept.throw_away(DeadLetter.objects.all(), by="anna") == 2


def alert_receiver() -> None:
    """A webhook whose path is a secret."""
    client = signed_in("anna")
    given = {
        "name": "pager",
        "kind": "webhook",
        "enabled": "on",
        "url": "https://hooks.example/T0PSECRET",
        "least": "warning",
    }
    answer = client.post(reverse("admin:observability_alertreceiver_add"), given)
    assert answer.status_code == 302
    assert "T0PSECRET" not in str(events())


def reset_quota() -> None:
    """A caller's count of the month."""
    ends_s = int(time.time()) + 86_400
    QuotaCount.objects.create(bucket=BUCKET, count=40, ends_s=ends_s, resets=0)
    quotaresets.reset(BUCKET, by="anna", reason="their loop is mended")


DOORS: dict[str, tuple[Callable[[], object], str, list[str]]] = {
    "admin form": (admin_form, "configuration.publish", ["routes", "renamed"]),
    "admin inline": (admin_inline, "configuration.publish", ["services", "orders"]),
    "control API": (api, "breaker.force", ["services", "orders"]),
    "staff signs in": (signing_in, "staff.login", ["account", "anna"]),
    "staff fails to": (wrong_password, "staff.login_failed", ["account", "anna"]),
    "apply": (
        lambda: apply_document({"version": 1, "routes": [route("more", "/more", "orders")]}, actor=ANNA),
        "configuration.publish",
        ["routes", "more"],
    ),
    "draft": (
        lambda: apply_document(
            {"version": 1, "routes": [route("more", "/more", "orders")]}, actor=ANNA, draft=True
        ),
        "configuration.draft",
        ["routes", "more"],
    ),
    "quota reset": (reset_quota, "quota.reset", ["quota count", BUCKET]),
    "drain": (
        lambda: drain("orders", "http://127.0.0.1:8001", actor=ANNA),
        "configuration.publish",
        ["services", "orders"],
    ),
    "readmit": (
        lambda: readmit("orders", "http://127.0.0.1:8001", by="anna"),
        "target.readmit",
        ["services", "orders"],
    ),
    "force": (lambda: force("orders", State.OPEN, by="anna"), "breaker.force", ["services", "orders"]),
    "reset": (lambda: reset("orders", by="anna"), "breaker.reset", ["services", "orders"]),
    "purge": (lambda: purge("route", ["orders"], by="anna"), "cache.purge", ["routes", "orders"]),
    "end sockets": (lambda: end_all(route="orders", by="anna"), "sockets.end", ["routes", "orders"]),
    "new key": (a_key, "key.create", ["consumer", "shop"]),
    "disable consumers": (
        lambda: consumers.set_enabled(Consumer.objects.filter(name="shop"), False, by="anna"),
        "consumer.disable",
        ["consumer", "shop"],
    ),
    "delete consumer": (lambda: consumers.delete(shop()), "consumer.delete", ["consumer", "shop"]),
    "new account": (
        lambda: accounts.create("carla", password=PASSWORD),
        "account.create",
        ["account", "carla"],
    ),
    "disable account": (
        lambda: accounts.set_active([User.objects.get(username="bert")], False, by="anna"),
        "account.disable",
        ["account", "bert"],
    ),
    "end session": (end_session, "session.end", ["account", "bert"]),
    "cli breaker": (
        lambda: gateway("breaker", "open", "orders", "--as", "anna"),
        "breaker.force",
        ["services", "orders"],
    ),
    "cli consumer": (
        lambda: gateway("consumer", "create", "till", "--kind", "service", "--as", "anna"),
        "consumer.create",
        ["consumer", "till"],
    ),
    "throw dead letters away": (throw_letters_away, "bus.throw_away", ["bus topic", "orders.made"]),
    "alert receiver": (alert_receiver, "alert receiver.create", ["alert receiver", "pager"]),
    "cli keys": (lambda: gateway("keys", "rotate", "--as", "anna"), "keys.rotate", []),
}


@pytest.mark.parametrize("door", DOORS)
def test_exactly_one_event(door: str) -> None:
    change, action, about = DOORS[door]
    before = newest()
    change()
    found = events(after=before)
    assert [each["action"] for each in found] == [action]
    assert not about or about in found[0]["objects"]
    assert PASSWORD not in str(found)
    assert isinstance(state(), Verified)


@pytest.mark.parametrize(
    ("change", "action"), [(own_password, "account.password"), (own_factor, "account.add_factor")]
)
def test_own_account(change: Callable[[], None], action: str) -> None:
    """One event after that of signing in, by whom it is about."""
    before = newest()
    change()
    found = events(after=before)
    assert [each["action"] for each in found] == ["staff.login", action]
    assert (found[1]["actor"], found[1]["objects"]) == ("anna", [["account", "anna"]])


def test_the_command_line_says_who_and_why(tmp_path: Path) -> None:
    before = newest()
    cli_apply(tmp_path)
    (event,) = events(after=before)
    assert (event["actor"], event["door"], event["reason"]) == ("anna", "cli", "More")


def test_revoking_says_which_key_and_not_its_secret() -> None:
    key, secret = apikeys.create(shop(), "till", by="anna")
    before = newest()
    assert apikeys.revoke(key, by="anna")
    assert not apikeys.revoke(key, by="anna")
    (event,) = events(after=before)
    assert ["api key", key.prefix] in event["objects"]
    assert secret not in str(events())


def test_going_back_is_an_event_of_its_own() -> None:
    apply_document({"version": 1, "routes": [route("more", "/more", "orders")]}, actor=ANNA)
    before = newest()
    rollback(1, actor=ANNA, message="It broke")
    (event,) = events(after=before)
    assert (event["reason"], event["changes"][0]["action"]) == ("It broke", "removed")


def test_what_is_refused_leaves_none() -> None:
    before = newest()
    with pytest.raises(OrderRefused):
        force("nobody", State.OPEN, by="anna")
    assert gateway("breaker", "open", "nobody").code == 1
    assert gateway("apply", "/nowhere").code == 1
    assert Service.objects.count() == 1
    assert newest() == before
