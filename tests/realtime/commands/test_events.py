"""`gateway events publish` and `tail`, on a real Redis."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_project.management.commands import gateway as command
from realtime.commands.events import MOST_WAITING, Following
from realtime.events import Event
from tests.support.cli import gateway
from tests.support.redisserver import RedisServer


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as found:
        monkeypatch.setattr(command, "_redis_url", lambda: found.url)
        yield found


@pytest.mark.usefixtures("server")
def test_what_is_published_can_be_followed() -> None:
    """From behind an id, whole, and in order; the others' topics do not come."""
    first = gateway("events", "publish", "orders.1", "--json").data["id"]
    for number in (1, 2):
        ran = gateway("events", "publish", "orders.1", "--type", "paid", "--data", json.dumps({"n": number}))
        assert ran.out.startswith("published ")
        gateway("events", "publish", "other")
    tail = ("events", "tail", "orders.1", "orders.2", "--after", first, "--count", "2")
    lines = [json.loads(line) for line in gateway(*tail, "--json").out.splitlines()]
    assert [(each["topic"], each["type"], each["data"]) for each in lines] == [
        ("orders.1", "paid", {"n": 1}),
        ("orders.1", "paid", {"n": 2}),
    ]
    assert '  orders.1  paid  {"n":1}  ' in gateway(*tail).out


@pytest.mark.usefixtures("server")
def test_what_comes_is_printed_as_it_comes() -> None:
    """From another process's hub, while the command runs."""
    done = threading.Event()

    def publish() -> None:
        while not done.wait(0.05):
            gateway("events", "publish", "live.1", "--data", "7")

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        ran = gateway("events", "tail", "live.1", "--count", "2", "--json")
    finally:
        done.set()
        thread.join()
    assert [json.loads(line)["data"] for line in ran.out.splitlines()] == [7, 7]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("publish", "two words"), "is no topic"),
        (("publish", "gateway.breakers"), "the gateway's own"),
        (("publish", "a", "--data", "{"), "--data is not JSON"),
        (("publish", "a", "--type", ""), "--type: want"),
        (("publish", "a", "--data", json.dumps("x" * 70_000)), "not published: the data"),
        (("tail", "a", "b c"), "is no topic"),
    ],
)
@pytest.mark.usefixtures("server")
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], why: str) -> None:
    ran = gateway("events", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert why in ran.err
    assert ran.err.count("\n") == 1


def test_without_redis(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is pretended."""
    server.stop()
    assert "Redis does not answer" in gateway("events", "publish", "a").err
    monkeypatch.setattr(command, "_redis_url", lambda: None)
    assert "there is none" in gateway("events", "tail", "a").err


def test_what_waits_is_bounded() -> None:
    """One gap stands for all that did not fit."""
    sink = Following()
    for number in range(MOST_WAITING + 5):
        sink.deliver(Event(str(number), "t", "x", None, ""))
    sink.gap("t")
    assert sink.waiting.qsize() == MOST_WAITING + 1
