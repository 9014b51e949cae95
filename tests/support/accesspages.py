"""D: Admin's pages of access as tests use them, and rows to show on them."""

from typing import Any

from django.contrib.auth.models import Group, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from authproxy import apikeys, consumers, security, sessions
from authproxy.models import ApiKey, Consumer, Session
from authproxy.security import SecurityEvent
from tests.support.adminpages import signed_in

SECURITY_ADMIN = tuple(
    f"authproxy.{verb}_{model}"
    for verb in ("view", "add", "change", "delete")
    for model in ("consumer", "apikey", "session", "signingkey", "securityevent")
) + tuple(
    f"auth.{verb}_{model}" for verb in ("view", "add", "change", "delete") for model in ("user", "group")
)


def access_admin() -> Client:
    """Somebody who administers access and is no superuser."""
    return signed_in("sec", permissions=SECURITY_ADMIN)


def access(model: str, what: str, *arguments: Any) -> str:
    """`access("consumer", "change", 1)` → the page's path."""
    return reverse(f"admin:authproxy_{model}_{what}", args=arguments)


def dialog(client: Client, path: str, **answers: str) -> HttpResponse:
    """Opens the dialog of an action, which must change nothing, and confirms it."""
    opened = client.get(path)
    assert opened.status_code == 200
    assert 'id="dialog"' in opened.content.decode()
    return client.post(path, {"_form_submitted": "True", **answers})  # type: ignore[return-value]


def choose(
    client: Client, path: str, action: str, rows: list[Any], *, across: bool = False, **answers: str
) -> HttpResponse:
    """An action on selected rows: the page that asks, which must change nothing, and the answer to it."""
    chosen = {
        "action": action,
        "_selected_action": [row.pk for row in rows],
        "select_across": str(int(across)),
    }
    asked = client.post(path, chosen)
    assert asked.status_code == 200, "it did not ask"
    return client.post(path, {**chosen, "_form_submitted": "True", **answers}, follow=True)  # type: ignore[return-value]


def listed(client: Client, path: str, query: str = "") -> list[Any]:
    """The rows on the first page of a list."""
    return list(client.get(f"{path}?{query}").context["cl"].result_list)


def a_consumer(name: str = "batch", *, roles: tuple[str, ...] = (), **more: Any) -> Consumer:
    groups = [Group.objects.get_or_create(name=role)[0] for role in roles]
    return consumers.create(name, roles=groups, **{"kind": "service", **more})


def a_key(consumer: Consumer, name: str = "key", **more: Any) -> ApiKey:
    return apikeys.create(consumer, name, by="root", **more)[0]


def a_session(name: str = "bert", address: str = "192.0.2.1") -> Session:
    user = User.objects.filter(username=name).first() or User.objects.create_user(name)
    return sessions.open(user, address=address, user_agent="curl/8").session


class Heard(list[SecurityEvent]):
    """The security events of a block."""

    def __enter__(self) -> "Heard":
        self._leave = security.bind(self.append)
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def told(self) -> list[tuple[str, str, str]]:
        """Kind, actor and subject of each."""
        return [(event.kind, event.actor, event.subject) for event in self]
