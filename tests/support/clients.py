"""I: Callers of a gateway that runs: how they sign in and ask, and who makes their accounts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from tests.support.clerk import Clerk, clerk
from tests.support.gateway import Answer, RawClient
from tests.support.process import Running, Site

JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
PASSWORD = "correct-horse-battery"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a credential: the header field that a request carries it in."""

    name: str
    field: str

    async def ask(self, client: RawClient, path: str, *, method: str = "GET", body: bytes = b"") -> Answer:
        """One request on that connection."""
        return await client.get(path, self.field, method=method, body=body)


async def post(running: Running, path: str, content: dict[str, Any], *headers: str) -> Answer:
    """JSON on a connection of its own."""
    return await running.get(path, JSON, *headers, method="POST", body=orjson.dumps(content))


async def granted(running: Running, **form: str) -> dict[str, Any]:
    """What the token endpoint answers; it must be tokens."""
    answer = await running.get("/api/v1/auth/token", FORM, method="POST", body=urlencode(form).encode())
    assert answer.status == 200, answer.body
    found: dict[str, Any] = orjson.loads(answer.body)
    return found


async def signed_in(running: Running, name: str, password: str = PASSWORD) -> Caller:
    """By an access token."""
    pair = await granted(running, grant_type="password", username=name, password=password)
    return bearer(name, pair["access_token"])


def bearer(name: str, token: str) -> Caller:
    return Caller(name, f"Authorization: Bearer {token}")


def keyed(name: str, secret: str) -> Caller:
    return Caller(name, f"X-API-Key: {secret}")


@asynccontextmanager
async def staff_of(site: Site) -> AsyncIterator[Clerk]:
    """Somebody who makes accounts with PASSWORD."""
    async with clerk(site, password=PASSWORD) as staff:
        yield staff


def refusal(answer: Answer) -> tuple[int, str, str]:
    """Status, code and reason of a refusal."""
    error = orjson.loads(answer.body)["error"]
    return answer.status, error["code"], error["details"].get("reason", "")
