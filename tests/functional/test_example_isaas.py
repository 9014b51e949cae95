"""ISaaS as `make example` starts it: three roles, three services, three scopes; and what the services learn."""

import asyncio
from typing import Any

import jwt
import orjson
from websockets.asyncio.client import connect

from tests.support.clients import Caller, keyed, refusal, signed_in, staff_of
from tests.support.gateway import Answer, RawClient
from tests.support.process import Running, Site

SERVICES = {"context": "context", "intent": "intent", "predict": "prediction"}
MAY = {"reader": {"read"}, "writer": {"read", "write"}, "administrator": {"read", "write", "admin"}}
NEEDS = {("GET", ""): "read", ("POST", ""): "write", ("GET", "/admin"): "admin", ("POST", "/admin"): "admin"}
MADE_UP = ("X-User-Id: 1", "x-user-roles: administrator", "X_User_Scopes: admin", "X-Consumer: root")


async def started(running: Running) -> None:
    await running.said("Ctrl-C stops it")
    running.port = int((await running.said(r"Torana is at http://\S+:(\d+)"))[1])


def caller_in(answer: Answer) -> Any:
    return orjson.loads(answer.body)["caller"]


async def judged(client: RawClient, caller: Caller) -> dict[tuple[str, str, str], int]:
    """The status of every method on every path."""
    found = {}
    for path in SERVICES:
        for method, below in NEEDS:
            body = b"{}" if method == "POST" else b""
            answer = await caller.ask(client, f"/api/v1/{path}{below}", method=method, body=body)
            found[method, path, below] = answer.status
    return found


def allowed(scopes: set[str]) -> dict[tuple[str, str, str], int]:
    statuses = {("POST", ""): 201}
    return {
        (method, path, below): statuses.get((method, below), 200) if needed in scopes else 403
        for path in SERVICES
        for (method, below), needed in NEEDS.items()
    }


async def test_scopes_open_what_they_name(site: Site) -> None:
    """Every role and key on every route; a 403 names the scope that is missing; made-up identity fields are gone."""
    site.env["JWT_ALGORITHM"] = "ES256"
    async with site.running("quickstart", "--example", "isaas") as running:
        await started(running)
        async with staff_of(site) as staff:
            await staff.do(f"for role in {list(MAY)}: account(role, role)")
            whole = keyed("whole", await staff.do("result = service('whole', 'administrator')"))
            narrow = keyed(
                "narrow", await staff.do("result = service('narrow', 'administrator', scopes=['read'])")
            )
        people = {role: await signed_in(running, role) for role in MAY}
        async with RawClient(running.port) as client:
            for role, person in people.items():
                assert await judged(client, person) == allowed(MAY[role]), role
            assert await judged(client, whole) == allowed({"read", "write", "admin"})
            assert await judged(client, narrow) == allowed({"read"})
            reader = people["reader"]
            missing = await reader.ask(client, "/api/v1/intent", method="POST", body=b"{}")
            nobody = await client.get("/api/v1/intent", *MADE_UP)
            forged = await client.get("/api/v1/intent", reader.field, *MADE_UP)
            token = await client.get("/api/v1/realtime", reader.field)
        said = await talked(running, reader)
    assert orjson.loads(missing.body)["error"]["details"] == {"missing_scopes": ["write"]}
    assert refusal(nobody) == (401, "AUTH_ERROR", "missing")
    assert [caller_in(forged)[key] for key in ("name", "roles", "scopes")] == ["reader", ["reader"], ["read"]]
    assert caller_in(token)["aud"] in ("realtime", ["realtime"])
    assert_is_for_realtime_alone(caller_in(token), reader)
    assert said == [
        {"service": "realtime", "listening": "reader"}, {"heard": "hello"}, {"posted": {"mood": "fine"}}
    ]  # fmt: skip


async def talked(running: Running, reader: Caller) -> list[Any]:
    """What the service says on a WebSocket of the same path, while somebody posts."""
    name, _, value = reader.field.partition(": ")
    url = f"ws://127.0.0.1:{running.port}/api/v1/realtime"
    async with connect(url, additional_headers={name: value}, proxy=None) as socket, asyncio.timeout(20):
        said = [await socket.recv()]
        await socket.send("hello")
        said.append(await socket.recv())
        async with RawClient(running.port) as client:
            await reader.ask(client, "/api/v1/realtime", method="POST", body=b'{"mood": "fine"}')
        return [orjson.loads(each) for each in (*said, await socket.recv())]


def assert_is_for_realtime_alone(claims: dict[str, Any], reader: Caller) -> None:
    """The service got a short token of its own and not the caller's."""
    sent = jwt.decode(reader.field.partition("Bearer ")[2], options={"verify_signature": False})
    assert claims["sub"] == sent["sub"]
    assert claims["token_type"] == "identity"
    assert claims["exp"] - claims["iat"] <= 60
    assert claims.get("jti") != sent["jti"]
