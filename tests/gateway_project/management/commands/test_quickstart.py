"""`manage.py quickstart`: what it prints, what it hands over, and how it ends when something is in the way."""

import io
import subprocess
from contextlib import nullcontext
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from gateway_project import examplekeys, quickstart
from gateway_project.examples import DEMO, Example, named
from gateway_project.management.commands import quickstart as command
from routing.locking import StoreUnavailable
from routing.problems import ConfigurationInvalid, Problem

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the supervisor is called with, which greets and ends; no upstream is started."""
    calls: list[dict[str, Any]] = []

    def serve(**options: Any) -> int:
        calls.append(options)
        options["on_ready"](("http://127.0.0.1:8000",))
        return 0

    monkeypatch.setattr(command, "serve", serve)
    monkeypatch.setattr(command, "shared_store", lambda _config: nullcontext({"REDIS_URL": "unix:///v"}))
    monkeypatch.setattr(quickstart, "start_upstreams", lambda *_arguments: {})
    monkeypatch.setattr(quickstart, "await_upstreams", lambda *_arguments: None)
    monkeypatch.setattr(examplekeys, "keep", lambda *_arguments, **_options: None)
    for name, value in named("phoenix").environment.items():
        monkeypatch.setenv(name, value)
    for upstream in (*DEMO.upstreams, *named("phoenix").upstreams):
        monkeypatch.setenv(upstream.variable, "http://127.0.0.1:1")
        monkeypatch.delenv(upstream.variable)  # so that what the command sets is undone
    return calls


def run(**options: str) -> str:
    out = io.StringIO()
    call_command("quickstart", stdout=out, **options)
    return out.getvalue()


def test_first_and_second_start(served: list[dict[str, Any]]) -> None:
    """The password is shown once; the workers learn where store and demo upstreams are."""
    first, second = run(), run()
    environ = served[0]["extra_env"]
    assert "name admin, password " in first
    assert "password" not in second
    assert first.count("curl -i") == second.count("curl -i") == 3
    assert environ["REDIS_URL"] == "unix:///v"
    assert set(environ) == {"REDIS_URL", "DEMO_ORDERS_A", "DEMO_ORDERS_B", "DEMO_ECHO"}


def test_example_in_place_of_the_demo(served: list[dict[str, Any]]) -> None:
    """Its document is loaded, its services are announced to the workers, and its lines are printed."""
    shown = run(example="phoenix")
    assert set(served[0]["extra_env"]) == {"REDIS_URL", "AUTH_SERVICE_URL", "CHAT_SERVICE_URL"}
    assert "http://127.0.0.1:8000/api/auth/login" in shown
    assert "/api/orders" not in shown


def test_example_beside_another_configuration(served: list[dict[str, Any]]) -> None:
    """It is not loaded, which is said; the gateway serves what there is."""
    run()
    shown = run(example="phoenix")
    assert "holds another configuration, so phoenix was not loaded" in shown
    assert "/api/auth/login" not in shown
    assert len(served) == 2


def test_unknown_example(served: list[dict[str, Any]]) -> None:
    """Nothing is prepared; the message lists what there is."""
    with pytest.raises(CommandError, match=r"no example 'phonix'; there are: .*isaas, phoenix"):
        run(example="phonix")
    assert served == []


def test_password_is_not_lost_when_nothing_is_served(
    served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account was made, and its password is kept nowhere else."""
    monkeypatch.setattr(command, "serve", lambda **_options: 1)
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("quickstart", stdout=out)
    assert ended.value.code == 1
    assert "name admin, password " in out.getvalue()
    assert served == []


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConfigurationInvalid([Problem("gateway.E014", "routes[0].service", "no")]), "routes[0].service: no"),
        (StoreUnavailable("the database cannot be reached"), "cannot be reached"),
    ],
)
def test_obstacles_are_told(error: Exception, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As errors of the command, without a traceback."""

    def fail(_example: Example) -> None:
        raise error

    monkeypatch.setattr(quickstart, "load", fail)
    with pytest.raises(CommandError) as raised:
        run()
    assert said in str(raised.value)


@pytest.mark.usefixtures("served")
def test_interrupt_while_preparing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends it at once, with the status that shells expect."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(quickstart, "migrate", interrupt)
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 130


@pytest.mark.usefixtures("served")
def test_upstreams_end_with_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """However it ends."""
    process = subprocess.Popen(["sleep", "60"])

    def fail(**options: Any) -> int:
        options["on_ready"](("http://127.0.0.1:8000",))
        raise KeyboardInterrupt

    monkeypatch.setattr(quickstart, "start_upstreams", lambda *_arguments: {"orders-a": process})
    monkeypatch.setattr(command, "serve", fail)
    with pytest.raises(SystemExit):
        run()
    assert process.returncode is not None
