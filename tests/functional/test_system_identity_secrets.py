"""No credential is written anywhere in clear: not by a debugging gateway, not into VAR_DIR, not into the database."""

import re
from pathlib import Path
from typing import Any

import orjson

from tests.support.clients import JSON, PASSWORD, bearer, granted, keyed, post, staff_of
from tests.support.gateway import Answer, document, route
from tests.support.process import Running, Site

OPEN = document(
    route("closed", path="/closed", auth={"level": "user"}, respond={"status": 204}),
    route("open", path="/open", respond={"status": 204}),
    route("down", path="/down", auth={"level": "user"}, service="down", forward_credentials="all"),
    services={"down": "http://127.0.0.1:1"},
)
WRONG_PASSWORD = "wrong-horse-battery"
WRONG_KEY = "tor_AAAAAAAAAAAA_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBcccccccccc"
WRONG_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2VjcmV0LXNpZ25hdHVyZQ"
MALFORMED = (
    "Authorization: Bearer",
    "Authorization: Bearer a b",
    f"Authorization: bearer {WRONG_TOKEN}",
    f"Authorization: Basic {WRONG_TOKEN}",
    f"Authorization: ApiKey {WRONG_KEY}",
    f"Authorization: Bearer {WRONG_TOKEN}\xff",
    f"X-API-Key: {WRONG_KEY}",
    f"X-API-Key: {WRONG_KEY * 300}",
    f"Cookie: torana_session={WRONG_KEY}; torana_refresh={WRONG_TOKEN}; torana_session={WRONG_TOKEN}",
    f"Cookie: torana_csrf_token={WRONG_TOKEN}",
)


def secrets_of(answer: Answer) -> list[str]:
    """The values of the cookies that it sets, the flags and empty ones left out."""
    values = [re.split("[=;]", cookie)[1] for cookie in answer.values("set-cookie")]
    return [value for value in values if len(value) > 16]


async def use_everything(site: Site, running: Running) -> list[str]:
    """Signs in and asks in every way, rightly and wrongly; the secrets that were used."""
    async with staff_of(site) as staff:
        await staff.do("account('ada')")
        key = keyed("robot", await staff.do("result = service('robot')"))
    pair = await granted(running, grant_type="password", username="ada", password=PASSWORD)
    login = await post(running, "/api/auth/login", {"username": "ada", "password": PASSWORD})
    wrong = await post(running, "/api/auth/login", {"username": "ada", "password": WRONG_PASSWORD})
    assert (login.status, wrong.status) == (200, 401)
    signed: dict[str, Any] = orjson.loads(login.body)
    cookies = secrets_of(login)
    fields = [bearer("ada", pair["access_token"]).field, key.field, f"Cookie: torana_session={cookies[0]}"]
    for field in (*fields, *MALFORMED):
        for path in ("/closed", "/open", "/down", "/api/v1/users/me", "/api/v1/health", "/api/auth/validate"):
            assert (await running.get(path, field)).status < 500 or path == "/down"
    for content in (
        b"{",
        b'{"refresh": "%b"}' % WRONG_TOKEN.encode(),
        b'{"username": "\\ud800", "password": 1}',
    ):
        for path in ("login", "refresh", "register", "logout"):
            answer = await running.get(f"/api/auth/{path}", JSON, method="POST", body=content)
            assert 400 <= answer.status < 500, (path, content, answer.body)
    made = key.field.partition(": ")[2]
    return [
        PASSWORD, WRONG_PASSWORD, WRONG_KEY, WRONG_TOKEN, made, *cookies,
        pair["access_token"], pair["refresh_token"], signed["access"], signed["refresh"],
    ]  # fmt: skip


async def test_no_secret_is_written(site: Site) -> None:
    """The log at its most talkative, every file of VAR_DIR, and what the database holds."""
    await site.apply(OPEN)
    async with site.serving(LOG_LEVEL="DEBUG") as running:
        used = await use_everything(site, running)
        running.process.terminate()
        await running.ended()
    assert "login_failed" in running.text  # it does tell of what was tried
    kept = {"the log": running.text.encode(), "the database": dump(site)}
    kept |= {str(file): file.read_bytes() for file in site.folder.rglob("*") if file.is_file()}
    found = [(where, secret) for secret in used for where, held in kept.items() if secret.encode() in held]
    assert found == []


def dump(site: Site) -> bytes:
    """Every row of every table of ours and of Django's, as text."""
    if site.database_url.startswith("sqlite"):
        return Path(site.database_url.removeprefix("sqlite:///")).read_bytes()
    tables = site.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [site.sql(f'SELECT t::text FROM "{table}" t') for (table,) in tables]
    return repr(rows).encode()
