"""Sign-in on whole gateways: a browser's life, races for one token, guessing side by side, and nonsense."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from tests.support.clients import FORM, JSON, PASSWORD, post, refusal
from tests.support.gateway import Answer, RawClient, document, route
from tests.support.process import PATIENCE_S, Running, Site, eventually

ADA = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
LOGIN, REFRESH, LOGOUT, VALIDATE = (
    f"/api/auth/{name}" for name in ("login", "refresh", "logout", "validate")
)
TOKEN = "/api/v1/auth/token"
CLOSED = document(
    route("closed", path="/closed", auth={"level": "user"}, respond={"status": 200, "body": "in"})
)


@pytest.fixture
async def running(site: Site) -> AsyncIterator[Running]:
    """A gateway with a closed route, and Ada's account."""
    await site.apply(CLOSED)
    async with site.serving() as running:
        assert (await post(running, "/api/auth/register", ADA)).status == 201
        yield running


def body(answer: Answer) -> Any:
    return orjson.loads(answer.body)


def cookies(answer: Answer) -> dict[str, str]:
    """The cookies that an answer sets."""
    return dict(field.partition(";")[0].split("=", 1) for field in answer.values("set-cookie"))


def field(jar: dict[str, str]) -> str:
    return "Cookie: " + "; ".join(f"{name}={value}" for name, value in jar.items())


async def signed_in(running: Running) -> dict[str, Any]:
    answer = await post(running, LOGIN, {"username": "ada", "password": PASSWORD})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = body(answer)
    return found


async def until_refused(running: Running, *headers: str) -> None:
    """What was taken back ends within a second; the system tests measure that on every worker."""

    async def is_refused() -> bool:
        return (await running.get("/closed", *headers)).status == 401

    async with asyncio.timeout(5):
        await eventually(is_refused)


async def test_a_browsers_life(running: Running) -> None:
    """It registers, signs in, is let in by its cookie, refreshes, and signs out; other sites' pages do nothing."""
    here, elsewhere = f"Origin: http://127.0.0.1:{running.port}", "Origin: http://evil.example"
    host = f"Host: 127.0.0.1:{running.port}"

    async def ask(path: str, *headers: str, content: dict[str, Any] | None = None) -> Answer:
        """As a browser has it: RawClient's own host is none that pages come from."""
        text = orjson.dumps(content) if content is not None else b""
        lines = [f"{'GET' if content is None else 'POST'} {path} HTTP/1.1", host, *headers, JSON]
        lines += [f"Content-Length: {len(text)}", "Connection: close", "", ""]
        async with RawClient(running.port) as client:
            await client.send("\r\n".join(lines).encode() + text)
            return await client.answer()

    bob = {"username": "bob", "email": "bob@example.com", "password": PASSWORD}
    assert (await ask("/api/auth/register", here, content=bob)).status == 201
    entered = await ask(LOGIN, here, content={"email": "bob@example.com", "password": PASSWORD})
    jar = cookies(entered)
    assert set(jar) == {"torana_session", "torana_refresh", "torana_csrf_token"}

    assert (await ask("/closed", field(jar))).body == b"in"
    assert body(await ask(VALIDATE, field(jar)))["user"]["username"] == "bob"
    for path in (REFRESH, LOGOUT, "/closed"):
        assert (await ask(path, field(jar), elsewhere, content={})).status == 403, path
    assert (
        await ask("/closed", field(jar), f"X-CSRF-Token: {jar['torana_csrf_token']}", content={})
    ).status == 200

    anew = await ask(REFRESH, field(jar), here, content={})
    assert anew.status == 200
    jar |= cookies(anew)
    assert (await ask("/closed", field(jar))).body == b"in"

    left = await ask(LOGOUT, field(jar), here, content={})
    assert (left.status, set(cookies(left).values())) == (204, {'""'})
    await until_refused(running, field(jar))
    await until_refused(running, f"Authorization: Bearer {body(entered)['access']}")
    assert (await ask(REFRESH, field(jar), here, content={})).status == 401


@pytest.mark.store
async def test_one_refresh_token_many_takers(running: Running) -> None:
    """Exactly one gets the next pair, and as the others came, too, it is ended at once."""
    pair = await signed_in(running)
    answers = await asyncio.gather(*(post(running, REFRESH, {"refresh": pair["refresh"]}) for _ in range(8)))
    won = [body(answer) for answer in answers if answer.status == 200]

    assert sorted(answer.status for answer in answers) == [200] + [401] * 7
    assert (await post(running, REFRESH, {"refresh": won[0]["refresh"]})).status == 401
    await until_refused(running, f"Authorization: Bearer {won[0]['access']}")


@pytest.mark.store
async def test_guessing_side_by_side(running: Running) -> None:
    """Sixteen guesses at once get no further than sixteen in a row: five, or nine if the right one came between."""
    guesses = [f"guess-{number}" for number in range(15)] + [PASSWORD]
    here = f"http://127.0.0.1:{running.port}"
    async with httpx.AsyncClient(base_url=here, timeout=PATIENCE_S * 2) as client:  # hashes take their time
        answers = await asyncio.gather(
            *(client.post(LOGIN, json={"username": "ada", "password": guess}) for guess in guesses)
        )
    looked_at = [answer for answer in answers if answer.status_code == 401]

    assert {answer.status_code for answer in answers} <= {200, 401, 429}
    did_enter = any(answer.status_code == 200 for answer in answers)
    assert 1 <= len(looked_at) <= (9 if did_enter else 5)  # fewer on a machine so busy that turns run out
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers if answer.status_code == 429)


WRITING = ["/api/auth/register", LOGIN, REFRESH, LOGOUT, TOKEN, "/api/v1/users/me/keys"]
READING = [VALIDATE, "/api/auth/profile", "/api/v1/users/me", "/api/v1/users/me/sessions"]
BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"username": {}, "password": []}',
    b'{"username": "\\u0000", "password": "x"}',
    b'{"username": "\\ud800", "password": "x"}',
    b'{"username": "ada", "password": "\\u0000"}',
    b'{"refresh": 1}',
    b'{"refresh": "eyJhbGciOiJub25lIn0.e30."}',
    b'{"grant_type": "password"}',
    b'{"grant_type": "refresh_token", "refresh_token": "a.b.c"}',
    b"\xff\xfe",
    b"[" * 10_000,
    b"x" * 70_000,
]
HEADERS = [JSON, FORM, "Content-Type: multipart/form-data; boundary=x", "Content-Type: ;;;", "X-Nothing: 1"]
CREDENTIALS = [
    "Authorization: Bearer",
    "Authorization: Bearer \xe9",
    "Authorization: Basic \xe9",
    "Authorization: ApiKey tor_x",
    "Cookie: torana_session=tos_x; torana_refresh=x; torana_csrf_token=x",
    "Cookie: torana_refresh=\xe9\xe9; =; ;;; torana_session",
    "Origin: http://[",
    "X-CSRF-Token: \xe9",
]


async def test_nonsense(running: Running) -> None:
    """Whatever is sent, the answer is a refusal that says so in JSON; nothing is reported as a mistake of ours."""
    asked = itertools.product(WRITING, BODIES, HEADERS)
    async with RawClient(running.port) as client:
        for path, text, header in asked:
            answer = await client.get(path, header, method="POST", body=text)
            assert answer.status in (400, 401, 403, 413, 415), (path, text[:40], header, answer.body)
            assert "error" in body(answer)


async def test_nonsense_of_credentials(running: Running) -> None:
    """401 in one shape, with what to bring instead; a cookie that nobody sent on purpose may also be a 403."""
    async with RawClient(running.port) as client:
        for path, credential in itertools.product(READING, CREDENTIALS[:6]):
            answer = await client.get(path, credential)
            status, code, reason = refusal(answer)
            assert (status, code, reason in ("missing", "invalid")) == (401, "AUTH_ERROR", True)
            assert "Bearer" in (answer.header("www-authenticate") or "")
        for path, credential in itertools.product(WRITING, CREDENTIALS):
            answer = await client.get(path, JSON, credential, method="POST", body=b"{}")
            assert answer.status in (400, 401, 403), (path, credential, answer.body)


async def test_a_route_takes_sign_in_over(site: Site) -> None:
    """In front of an existing service for it, nothing of ours is in the way."""
    theirs = route("theirs", path="/api/auth", respond={"status": 201, "body": "theirs"})
    await site.apply(document(theirs))
    async with site.serving() as running:
        for path in (LOGIN, VALIDATE, "/api/auth/else"):
            assert (await running.get(path, "Authorization: Bearer x")).body == b"theirs"
        assert (await post(running, TOKEN, {"grant_type": "password"})).status == 400
