"""WS /api/v1/ws: what the worker tells reaches who has subscribed, users on all connections, and nobody else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.support.systems import System

Caller = dict[str, str]
WANTED = {"prompt": "a cat"}
PATIENCE_S = 20


@contextmanager
def joined(system: System, caller: Caller, query: str = "") -> Iterator[ClientConnection]:
    url = f"{system.socket_url}/api/v1/ws{query}"
    with connect(url, additional_headers=caller, proxy=None) as socket:
        yield socket


def said(socket: ClientConnection, type_: str) -> dict[str, Any]:
    """The next message of that type."""
    while True:
        message: dict[str, Any] = json.loads(socket.recv(PATIENCE_S))
        if message["type"] == type_:
            return message


def say(socket: ClientConnection, **message: Any) -> None:
    socket.send(json.dumps(message))


def begun(system: System, caller: Caller) -> str:
    return str(system.ask("POST", "/api/v1/images/generate", caller, json=WANTED).json()["generation_id"])


def test_progress_of_a_generation(system: System, caller: Caller) -> None:
    """subscribe_generation, then the steps of the worker in their order, then what it made."""
    with joined(system, caller, "?connection_id=client123") as socket:
        assert said(socket, "connected")["connection_id"] == "client123"
        number = begun(system, caller)
        say(socket, type="subscribe_generation", generation_id=number)
        assert said(socket, "subscribed")["topic"] == f"generation.{number}"
        events = [said(socket, "event")]
        while events[-1]["event"] != "completed":
            events.append(said(socket, "event"))
    percents = [event["data"]["percent"] for event in events[:-1]]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert events[-1]["data"]["images"]


def test_missed_events_come_again(system: System, caller: Caller) -> None:
    """Whoever comes back with the last id misses nothing."""
    number = begun(system, caller)
    with joined(system, caller) as socket:
        say(socket, type="subscribe_generation", generation_id=number)
        first = said(socket, "event")
    with joined(system, caller) as socket:
        say(socket, type="subscribe_generation", generation_id=number, last_event_id=first["id"])
        events = [said(socket, "event")]
        while events[-1]["event"] != "completed":
            events.append(said(socket, "event"))
    assert events[0]["data"]["percent"] == first["data"]["percent"] + 25
    assert "gap" not in [event["type"] for event in events]


def test_one_user_alone(system: System, caller: Caller) -> None:
    """What is for one user reaches all of their connections, and not another's."""
    other = system.newcomer("bystander")
    mine = str(system.ask("GET", "/api/v1/users/me", caller).json()["id"])
    with joined(system, caller) as one, joined(system, caller) as two, joined(system, other) as third:
        for socket in (one, two, third):
            said(socket, "connected")
        event = {"user": mine, "type": "note", "data": {"text": "for you"}}
        told = system.ask("POST", "/api/v1/events", system.keyed("worker"), json=event)
        assert [said(socket, "event")["data"]["text"] for socket in (one, two)] == ["for you"] * 2
        say(third, type="ping", id="1")
        assert json.loads(third.recv(PATIENCE_S))["type"] == "pong"
    assert told.status_code < 300


def test_errors_are_told(system: System, caller: Caller) -> None:
    """A message that is none, a topic that is not theirs: an error, and the connection goes on."""
    with joined(system, caller) as socket:
        socket.send("no JSON")
        wrong = said(socket, "error")
        say(socket, type="subscribe", topic="user.999999")
        refused = said(socket, "error")
        say(socket, type="ping", id="7")
        assert said(socket, "pong")["id"] == "7"
    assert {"code", "message"} <= wrong.keys()
    assert refused["code"] == "FORBIDDEN"


def test_compression(system: System, caller: Caller) -> None:
    """permessage-deflate, where a client offers it."""
    with joined(system, caller) as socket:
        assert socket.response is not None
        assert "permessage-deflate" in socket.response.headers.get("Sec-WebSocket-Extensions", "")


def test_nobody_joins_without_a_token(system: System) -> None:
    with pytest.raises(InvalidStatus) as refused, joined(system, {}):
        pass
    assert refused.value.response.status_code == 401


def test_connections_are_counted(system: System, caller: Caller) -> None:
    """By the metrics."""
    with joined(system, caller) as socket:
        said(socket, "connected")
        told = system.ask("GET", "/metrics").text
    lines = [line for line in told.splitlines() if line.startswith("gateway_websocket_connections{")]
    assert any(float(line.rpartition(" ")[2]) >= 1 for line in lines), lines
