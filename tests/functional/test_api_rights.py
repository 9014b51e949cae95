"""Every call of the control API and of discovery against every kind of account; one that no table knows fails."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern

from gateway_project.urls import urlpatterns
from routing.models import Lease, Schedule
from tests.functional.test_admin_rights import account, differences
from tests.functional.test_admin_rights import world as world
from tests.support.endpoints import PASSWORD, Endpoints
from tests.support.endpoints import account as ordinary
from tests.support.ownkeys import own_keys as own_keys
from tests.support.rights import CALLS, KINDS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world", "own_keys")]
METHODS = ("get", "post", "put", "patch", "delete")


def calls() -> Iterator[tuple[str, str, str]]:
    """Name, method and path of each."""
    lease = Lease.objects.get()
    for each in urlpatterns:
        pattern = str(each.pattern)
        if isinstance(each, URLPattern) and pattern.startswith(("control/", "discovery/")):
            path = re.sub(r"<uuid:\w+>", str(lease.pk), pattern)
            path = re.sub(r"<str:(service|name)>", "mine", path).replace("<str:number>", "1")
            path = path.replace("<str:username>", "bert").replace("<int:pk>", "1")
            path = path.replace("<int:number>", str(Schedule.objects.get().pk))
            shown = re.sub(r"<[a-z]+:([a-z]+)>", r"{\1}", pattern)
            view: Any = each.callback
            for method in METHODS:
                if hasattr(view.view_class, method):
                    yield f"{method.upper()} {shown}", method, f"/{path}"


def may(client: Endpoints, method: str, path: str, token: str) -> bool:
    """Whether it gets past who asks; what it does does not stay."""
    with transaction.atomic():
        answer = (
            client.send(path, {}, token=token)
            if method == "post"
            else client.ask(path, token=token, method=method)
        )
        transaction.set_rollback(True)
    assert answer.status_code in (200, 201, 202, 204, 400, 401, 403, 404, 409, 415), path
    assert answer.has_header("WWW-Authenticate") == (answer.status_code == 401), path
    return answer.status_code not in (401, 403)


@pytest.mark.parametrize("kind", KINDS)
def test_calls(kind: str) -> None:
    """Staff with the permission that the same would take in admin."""
    user = account(kind)
    user.set_password(PASSWORD)
    user.save()
    client = Endpoints()
    token = str(client.signed_in(user.username)["access"])
    client.cookies.clear()
    found = {name: may(client, method, path, token) for name, method, path in calls()}

    assert differences(kind, found, CALLS) == {}


def test_nobody_else_may() -> None:
    """Neither an ordinary account nor somebody whom nobody knows."""
    ordinary("carla")
    client = Endpoints()
    token = str(client.signed_in("carla")["access"])
    client.cookies.clear()
    for name, method, path in calls():
        assert not may(client, method, path, token), name
        assert not may(client, method, path, ""), name
