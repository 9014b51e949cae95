"""Phoenix with its services as processes: the gateway's own accounts, and an auth service that is there already."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway_project.examples import EXAMPLES
from gateway_project.server.ports import keep_port
from tests.support.clients import JSON, bearer, post
from tests.support.gateway import Answer
from tests.support.process import ROOT, Running, Site, eventually

SECRET = "a-secret-that-both-services-share"
GRACE = {"username": "grace", "email": "grace@example.com", "password": "hopper-1906"}
SIGN_IN = {"username": "grace", "password": "hopper-1906"}
HELLO = {"message": "hello"}


def body(answer: Answer) -> Any:
    return orjson.loads(answer.body)


@dataclass
class Services:
    """Processes of the example's services, and the variables that name them."""

    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)

    def stop(self, name: str) -> None:
        """At once, as if it had crashed."""
        self.processes[name].kill()

    @property
    def env(self) -> dict[str, str]:
        return {
            f"{name.upper()}_SERVICE_URL": f"http://127.0.0.1:{port}" for name, port in self.ports.items()
        }


@asynccontextmanager
async def services(*names: str) -> AsyncIterator[Services]:
    found = Services({name: keep_port() for name in names})
    found.processes |= {
        name: await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"examples.phoenix.{name}", "--port", str(port),
            cwd=ROOT, env={**os.environ, "JWT_SECRET_KEY": SECRET},
        )
        for name, port in found.ports.items()
    }  # fmt: skip
    try:
        yield found
    finally:
        for process in found.processes.values():
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def answered(running: Running, path: str, *headers: str, **options: Any) -> Answer:
    """Once the service listens."""

    async def ask() -> Answer | None:
        answer = await running.get(path, *headers, **options)
        return answer if answer.status != 502 else None

    return await eventually(ask)


async def test_accounts_of_the_gateway(site: Site) -> None:
    """Register, sign in, ask as a program, look at the account, refresh, sign out: the chat learns who writes."""
    async with services("chat") as chat:
        site.env |= chat.env
        done = await site.gateway("apply", str(EXAMPLES / "phoenix" / "gateway.yaml"))
        assert done.code == 0, done.err
        async with site.serving() as running:
            registered = await post(running, "/api/auth/register", GRACE)
            pair = body(await post(running, "/api/auth/login", SIGN_IN))
            field = bearer("grace", pair["access"]).field
            avatar = await answered(running, "/api/chat/avatar")
            forged = await running.get(
                "/api/chat/avatar", "X-User-Id: 1", "X_Consumer: root", "X-Auth-Method: jwt"
            )
            mine = await running.get("/api/chat/avatar", field)
            said = await post(running, "/api/chat/message", HELLO, field)
            nobody = await post(running, "/api/chat/message", HELLO)
            history = await running.get("/api/chat/history?limit=1", field)
            validated = await running.get("/api/auth/validate", field)
            profile = await running.get("/api/auth/profile", field)
            dashboard = body(await running.get("/api/dashboard", field))
            stranger = await running.get("/api/dashboard")
            refreshed = await post(running, "/api/auth/refresh", {"refresh": pair["refresh"]})
            left = await running.get("/api/auth/logout", field, method="POST")
    assert (registered.status, body(registered)["user"]["username"]) == (201, "grace")
    assert [body(answer)["caller"] for answer in (avatar, forged)] == [None, None]
    assert body(mine)["caller"]["name"] == body(said)["caller"]["name"] == "grace"
    assert body(said)["caller"]["method"] == "jwt"
    assert (said.status, nobody.status, left.status) == (200, 401, 204)
    assert body(history)["history"] == [{"message": "hello", "reply": "You said: hello"}]
    assert dashboard["profile"]["username"] == "grace"
    assert dashboard["history"] == [{"message": "hello", "reply": "You said: hello"}]
    assert (dashboard["avatar"], stranger.status) == ("none yet", 401)
    assert (validated.status, body(validated)["valid"]) == (200, True)
    assert (profile.status, refreshed.status) == (200, 200)
    assert set(body(refreshed)) >= {"access", "refresh"}


async def test_auth_service_that_is_there_already(site: Site) -> None:
    """It answers /api/auth/ itself, in the gateway's place; what it signs opens the chat, by field and by cookie."""
    async with services("chat", "auth") as both:
        site.env |= {**both.env, "JWT_SECRET_KEY": SECRET}
        for name in ("gateway.yaml", "auth-service.yaml"):
            done = await site.gateway("apply", str(EXAMPLES / "phoenix" / name))
            assert done.code == 0, done.err
        async with site.serving() as running:
            await answered(running, "/api/chat/avatar")
            await answered(running, "/api/auth/validate")
            registered = await post(running, "/api/auth/register", GRACE)
            token = body(await post(running, "/api/auth/login", SIGN_IN))["access"]
            field = bearer("grace", token).field
            valid = await running.get("/api/auth/validate", field)
            said = await post(running, "/api/chat/message", HELLO, field)
            cookie = f"Cookie: theme=dark; access_token={token}"
            history = await running.get("/api/chat/history", cookie)
            elsewhere = await running.get(
                "/api/chat/avatar", cookie, "Origin: http://elsewhere", JSON, method="POST", body=b"{}"
            )
            own = await running.get("/api/v1/users/me", "Authorization: Bearer x.y.z")
            dashboard = await running.get("/api/dashboard", field)
            both.stop("chat")
            degraded = await running.get("/api/dashboard", field)
            both.stop("auth")
            failed = await running.get("/api/dashboard", field)
    assert body(registered) == {"user": {"username": "grace"}}
    assert (valid.status, body(valid)["valid"]) == (200, True)
    assert body(said)["caller"]["consumer"] == "auth-service:account-grace"
    assert body(said)["caller"]["name"] == "grace"
    assert (history.status, body(history)["total"]) == (200, 1)
    assert (elsewhere.status, own.status) == (403, 401)
    assert body(dashboard)["profile"] == body(degraded)["profile"] == {"username": "grace"}
    assert (body(dashboard)["history"], body(degraded)["history"]) == (body(history)["history"], [])
    assert (degraded.status, sorted(body(degraded)["errors"])) == (200, ["avatar", "history"])
    assert (failed.status, body(failed)["error"]["details"]["part"]) == (502, "profile")
