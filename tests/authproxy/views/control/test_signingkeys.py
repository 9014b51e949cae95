"""`/control/v1/signing-keys…`: what signs tokens, and making the next key."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from authproxy import signingkeys
from authproxy.models import SigningKey
from authproxy.sealing import Sealer
from authproxy.signingkeys import KeyPolicy
from gateway_project.signin.groups import EDITOR, SECURITY_ADMIN, VIEWER
from observability.audit.chain import Verified
from tests.support.accesspages import Heard
from tests.support.control import Control
from tests.support.ownkeys import own_keys as own_keys
from tests.support.trail import events, newest, state

pytestmark = [pytest.mark.store, pytest.mark.django_db, pytest.mark.usefixtures("own_keys")]
LIST = "signing-keys"
ROTATE = f"{LIST}/rotate"


@pytest.fixture
def sara() -> Control:
    """A security admin, whose token the test's own keys signed."""
    return Control("sara", SECURITY_ADMIN)


def test_the_next_key_is_made(sara: Control) -> None:
    """It is told and recorded once; this process knows it, and the caller's token stays good."""
    before = newest()
    with Heard() as heard:
        made = sara.call("post", ROTATE)
    row = SigningKey.objects.get()
    assert (made.status_code, made.json()["kid"], made.json()["state"]) == (201, row.kid, "next")
    assert made.json()["retires_at"] is None
    assert row.kid in {key.kid for key in signingkeys.shared().ring().keys}
    shown = sara.call("get", f"{LIST}/{row.kid}")
    assert (shown.status_code, shown.json(), shown["ETag"]) == (200, made.json(), made["ETag"])
    assert heard.told() == [("keys_rotated", "sara", row.kid)]
    (event,) = events(after=before)
    assert (event["action"], event["actor"], event["door"]) == ("keys.rotate", "sara", "api")
    assert event["objects"] == [["signing key", row.kid]]
    assert isinstance(state(), Verified)


def test_the_key_itself_is_told_nowhere(sara: Control) -> None:
    made = sara.call("post", ROTATE)
    row = SigningKey.objects.get()
    sealed = bytes(row.sealed)
    opened = Sealer(str(settings.CONFIG.secret_key)).unseal(sealed)
    assert opened is not None
    for answer in (made, sara.call("get", LIST), sara.call("get", f"{LIST}/{row.kid}")):
        assert row.kid in answer.content.decode()
        assert sealed not in answer.content
        assert opened not in answer.content


def test_what_each_does(sara: Control) -> None:
    """Newest first, in pages."""
    now = timezone.now()
    for ago in (60, 30, 0):
        signingkeys.shared().rotate(now=now - timedelta(seconds=ago))
    found = sara.call("get", LIST).json()
    assert (found["algorithm"], found["fixed"], found["total"]) == ("HS256", False, 3)
    assert [each["state"] for each in found["signing_keys"]] == ["next", "signs", "verifies"]
    first = sara.call("get", f"{LIST}?limit=2").json()
    rest = sara.call("get", f"{LIST}?cursor={first['next']}").json()
    assert [each["state"] for each in rest["signing_keys"]] == ["verifies"]
    assert [*first["signing_keys"], *rest["signing_keys"]] == found["signing_keys"]


def test_one_that_is_made_meanwhile_is_told_as_it_is(sara: Control) -> None:
    """Whatever is read first, and no key itself is read."""
    signingkeys.shared().rotate(now=timezone.now() - timedelta(seconds=30))
    asked: list[str] = []
    others = iter([signingkeys.shared().rotate])

    def meanwhile(execute: Any, sql: str, *args: Any) -> Any:
        result = execute(sql, *args)
        if "authproxy_signingkey" in sql:
            for rotate in others:
                rotate()
                asked.clear()
            asked.append(sql)
        return result

    with connection.execute_wrapper(meanwhile):
        found = sara.call("get", LIST).json()
    assert [each["state"] for each in found["signing_keys"]] == ["next", "signs"]
    assert not [sql for sql in asked if "sealed" in sql]


def test_of_two_who_rotate_one_does(sara: Control) -> None:
    """By the tag of the newest key; before there is one, it can be asked that there is none."""
    assert sara.call("post", ROTATE, if_match="*").status_code == 412
    tag = sara.call("post", ROTATE, if_none_match="*")["ETag"]
    assert sara.call("post", ROTATE, if_none_match="*").status_code == 412
    before = newest()
    late = sara.call("post", ROTATE, if_match='"other"')
    assert (late.status_code, late.json()["error"]["details"]["etag"]) == (412, tag)
    assert (SigningKey.objects.count(), newest()) == (1, before)
    assert sara.call("post", ROTATE, if_match=tag).status_code == 201
    assert sara.call("post", ROTATE, if_match=tag).status_code == 412
    assert SigningKey.objects.count() == 2


def test_a_key_that_begins_to_sign_is_the_same(sara: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody changed anything: whoever saw it may make the next one."""
    made = sara.call("post", ROTATE)
    later = timezone.now() + timedelta(seconds=30)
    monkeypatch.setattr(signingkeys, "timezone", SimpleNamespace(now=lambda: later))
    shown = sara.call("get", f"{LIST}/{made.json()['kid']}")
    assert (shown.json()["state"], shown["ETag"]) == ("signs", made["ETag"])
    assert sara.call("post", ROTATE, if_match=made["ETag"]).status_code == 201
    assert sara.call("get", f"{LIST}/{made.json()['kid']}")["ETag"] != made["ETag"]


def test_a_fixed_key_is_not_rotated(sara: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks is told why, and the list says so before. A key of before signs nothing."""
    own = signingkeys.shared()
    kid = own.rotate(now=timezone.now() - timedelta(seconds=30)).kid
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, jwt_secret_given=True))
    monkeypatch.setattr(own, "_policy", KeyPolicy.of(settings.CONFIG))
    refused = sara.call("post", ROTATE)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
    assert "JWT_SECRET fixes the signing key" in refused.json()["error"]["message"]
    listed = sara.call("get", LIST).json()
    assert (listed["fixed"], [each["state"] for each in listed["signing_keys"]]) == (True, ["unused"])
    assert sara.call("get", f"{LIST}/{kid}").json()["state"] == "unused"
    assert SigningKey.objects.get().kid == kid


def test_who_may(sara: Control) -> None:
    """Viewers look; others but security admins make none."""
    path = f"{LIST}/{sara.call('post', ROTATE).json()['kid']}"
    for client in (Control("vera", VIEWER), Control("edith", EDITOR)):
        assert [client.call("get", each).status_code for each in (LIST, path)] == [200, 200]
        assert client.call("post", ROTATE).status_code == 403
    nora = Control("nora")
    assert [nora.call("get", each).status_code for each in (LIST, path)] == [403, 403]
    assert nora.call("post", ROTATE).status_code == 403
    assert sara.call("get", f"{LIST}/nothing").status_code == 404
    assert SigningKey.objects.count() == 1
