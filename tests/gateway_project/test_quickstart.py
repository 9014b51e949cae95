"""The steps of a first start: each looks first, and does nothing when there is nothing to do."""

import re
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.contrib.auth import authenticate, get_user_model

from gateway_project import quickstart
from gateway_project.examplekeys import Credentials
from gateway_project.examples import DEMO, Upstream
from gateway_project.server.ports import keep_port
from gateway_project.standby import Standby
from gateway_project.systemfile import AccountEntry
from routing.drafts import Actor
from routing.models import Revision, Service
from routing.publishing import apply_document
from tests.support.configuration import small


@pytest.mark.store
@pytest.mark.django_db
def test_tables_that_are_up_to_date_are_only_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second start does not run migrate."""
    calls: list[Any] = []
    monkeypatch.setattr(quickstart, "call_command", lambda *arguments, **options: calls.append(arguments))
    quickstart.migrate()
    assert calls == []


@pytest.mark.store
@pytest.mark.django_db
def test_one_account_is_made() -> None:
    """With a password that signs in; where there is an administrator, nothing is done."""
    password = quickstart.create_admin()
    assert password is not None
    user = authenticate(username="admin", password=password)
    assert user is not None
    assert user.is_superuser
    assert quickstart.create_admin() is None
    assert get_user_model().objects.count() == 1


@pytest.mark.store
@pytest.mark.django_db
def test_example_is_published_once() -> None:
    """Only into an empty database: a configuration of somebody's own, even an emptied one, is left alone."""
    assert not quickstart.serves(DEMO)
    quickstart.load(DEMO)
    quickstart.load(DEMO)
    assert Revision.objects.get().message == "Demo configuration"
    assert quickstart.serves(DEMO)
    apply_document({"version": 1}, actor=Actor("somebody"), prune=True)
    quickstart.load(DEMO)
    assert not Service.objects.exists()
    assert not quickstart.serves(DEMO)


@pytest.mark.store
@pytest.mark.django_db
def test_example_is_not_loaded_beside_something_else() -> None:
    """One service is enough."""
    apply_document(small(), actor=Actor("somebody"), draft=True)
    quickstart.load(DEMO)
    assert not quickstart.serves(DEMO)


@pytest.mark.store
@pytest.mark.django_db
def test_under_review_nothing_goes_live_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even an example: somebody else would have to publish it first."""
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, publish="review"))
    quickstart.load(DEMO)
    assert not Service.objects.exists()
    said = "No example was loaded: under PUBLISH=review"
    assert said in quickstart.banner("http://h:1", password="pw", example=None)
    assert said not in quickstart.banner("http://h:1", password=None, example=None)


KNOWN = Credentials({"ada": "pw-1"}, {"robot": "tk-1"})
KEYED = replace(
    DEMO,
    upstreams=(
        replace(DEMO.upstreams[2], environment={"KEY": "{robot.key}"}),
        Upstream("worker", "", ("-c", "import time; time.sleep(60)")),
    ),
)


def test_programs_know_what_they_need() -> None:
    """Where the gateway is, their port and their own; those that do not listen are told apart."""
    addresses = {"DEMO_ECHO": "http://127.0.0.1:9103"}
    (echo,) = quickstart.programs(KEYED, addresses, KNOWN, gateway="http://g", listening=True).values()
    (worker,) = quickstart.programs(KEYED, addresses, KNOWN, gateway="http://g", listening=False).values()
    told = {"GATEWAY_URL": "http://g", "GATEWAY_JWKS": "http://g/.well-known/jwks.json"}
    assert echo.command[-2:] == ("--port", "9103")
    assert echo.environment == {**told, "KEY": "tk-1"}
    assert worker == quickstart.Program(KEYED.upstreams[1].command, told)


def test_upstreams_come_and_go() -> None:
    """They answer once they are waited for, and end when told, whether a process waited for them or not."""
    addresses = {"DEMO_ECHO": f"http://127.0.0.1:{keep_port()}"}
    wanted = quickstart.programs(KEYED, addresses, KNOWN, gateway="http://gateway", listening=True)
    worker = quickstart.programs(KEYED, addresses, KNOWN, gateway="http://gateway", listening=False)
    for waiting in ({}, {"echo": Standby()}):
        started = quickstart.start_upstreams(wanted, waiting)
        try:
            started |= quickstart.start_upstreams(worker)
            quickstart.await_upstreams(KEYED, addresses, started)
            answer = httpx.get(addresses["DEMO_ECHO"] + "/hello")
        finally:
            quickstart.stop_upstreams(started.values())
        assert (len(started), answer.json()["path"], waiting) == (2, "/hello", {})
        assert all(process.returncode is not None for process in started.values())


def test_upstream_that_never_answers_is_not_waited_for_long() -> None:
    """The gateway is there all the same, and answers 502 for it."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ended = subprocess.Popen(["true"])
    ended.wait()
    addresses = {"DEMO_ECHO": f"http://127.0.0.1:{port}"}
    asked = replace(KEYED, upstreams=(replace(KEYED.upstreams[0], ready="/health"),))
    with subprocess.Popen(["sleep", "9"]) as process:
        quickstart.await_upstreams(KEYED, addresses, {"echo": process}, within_s=0.1)
        quickstart.await_upstreams(asked, addresses, {"echo": process}, within_s=0.1)
        assert process.poll() is None
        process.kill()
    began = time.monotonic()
    quickstart.await_upstreams(KEYED, addresses, {"echo": ended}, within_s=60)
    assert time.monotonic() - began < 30


def test_upstream_that_does_not_heed_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After five seconds, which are none here."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(process, "terminate", lambda: None)
    wait = process.wait
    monkeypatch.setattr(process, "wait", lambda timeout=None: wait(timeout and 0.01))
    quickstart.stop_upstreams([process])
    assert process.returncode == -9


@pytest.mark.store
@pytest.mark.django_db
def test_credentials_are_made_once(tmp_path: Path) -> None:
    """With the configuration; a later start finds them, and nothing is kept of an example that has none."""
    example = replace(DEMO, accounts=(AccountEntry(name="ada", roles=("reader",)),))
    made = quickstart.credentials_of(example, tmp_path, is_new=True)
    assert quickstart.credentials_of(example, tmp_path, is_new=False) == made
    assert authenticate(username="ada", password=made.passwords["ada"]) is not None
    assert quickstart.credentials_of(DEMO, tmp_path / "none", is_new=True) == Credentials()


def test_banner_of_a_system() -> None:
    """Accounts with their passwords, and lines with what they need."""
    entry = AccountEntry(name="ada", roles=("reader",))
    example = replace(DEMO, accounts=(entry,), lines=("curl -H 'X-API-Key: {robot.key}' {ada.password}",))
    shown = quickstart.banner("http://h:1", password=None, example=example, credentials=KNOWN)
    assert "curl -H 'X-API-Key: tk-1' pw-1" in shown
    assert re.search(r"ada +password pw-1   \(reader\)", shown)
    example = replace(example, accounts=(AccountEntry(name="ada", staff=True),))
    shown = quickstart.banner("http://h:1", password=None, example=example, credentials=KNOWN)
    assert re.search(r"ada +password pw-1   \(staff\)", shown)


def test_banner() -> None:
    """The address and admin always; the password when it was made now; lines to try when there is an example."""
    full = quickstart.banner("http://h:1", password="pw", example=DEMO)
    plain = quickstart.banner("http://h:1", password=None, example=None)
    assert all(
        text in full for text in ("http://h:1/admin/", "name admin, password pw", "'http://h:1/api/echo/")
    )
    assert full.count("curl -i") == 3
    assert "http://h:1/admin/" in plain
    assert not any(text in plain for text in ("password", "curl"))
