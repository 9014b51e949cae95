"""The database of accounts is away under a whole gateway: who is known goes on, nobody else is let in."""

import os
import signal
from pathlib import Path
from secrets import choice

import jwt
import pytest

from authproxy import tickets
from gateway_project.config import load_config
from tests.support.clients import PASSWORD, Caller, bearer, keyed, post, refusal, signed_in, staff_of
from tests.support.gateway import Answer, document, route
from tests.support.process import Running, Site, connections_to_each_worker, eventually
from tests.support.storeaway import WAYS, outage

pytestmark = pytest.mark.timeout(300)  # seconds; many processes start one after another
CLOSED = document(route("closed", path="/closed", auth={"level": "user"}, respond={"status": 204}))
SHARED = "a-secret-that-two-services-share"


def unknown_key(site: Site) -> Caller:
    """A key that this gateway could have made: only the database can tell that it did not."""
    pepper = load_config(site.environ()).credential_pepper
    ticket = tickets.mint(tickets.API_KEY, pepper=pepper.encode(), choice=choice)
    return Caller("unknown", f"X-API-Key: {ticket.text}")


@pytest.mark.store
@pytest.mark.parametrize("way", WAYS)
async def test_database_away(way: str, site: Site) -> None:
    """Remembered keys and all tokens pass, other keys get 503 with Retry-After, nonsense stays 401; then all heals."""
    await site.apply(CLOSED)
    async with staff_of(site) as staff:
        await staff.do("account('ada')")
        await staff.do("account('eve')")
        secrets = await staff.do("result = [service('seen'), service('unseen')]")
    seen, unseen = keyed("seen", secrets[0]), keyed("unseen", secrets[1])
    async with outage(way, site) as database, site.serving() as running:

        async def ask(caller: Caller) -> Answer:
            return await running.get("/closed", caller.field)

        ada = await signed_in(running, "ada")
        eve = await signed_in(running, "eve")
        assert (await ask(eve)).status == 204
        assert (await site.gateway("user", "disable", "eve")).code == 0

        async def is_out() -> bool:
            return (await ask(eve)).status == 401

        await eventually(is_out)
        nonsense = Caller("nonsense", "X-API-Key: tor_nonsense")
        assert (await ask(seen)).status == 204
        await database.begin()
        if database.gone:
            assert [(await ask(caller)).status for caller in (ada, seen)] == [204, 204]
            assert refusal(await ask(nonsense)) == (401, "AUTH_ERROR", "invalid")
            for caller in (unseen, unknown_key(site)):
                answer = await ask(caller)
                assert refusal(answer)[:2] == (503, "SERVICE_UNAVAILABLE")
                assert int(answer.header("retry-after") or "0") >= 1
            login = {"username": "ada", "password": PASSWORD}
            assert (await post(running, "/api/auth/login", login)).status == 503
            async with site.serving() as late:
                assert (await late.get("/closed", ada.field)).status == 204
                assert (
                    await late.get("/closed", eve.field)
                ).status == 401  # it read what the others had kept
                assert (await late.get("/closed", seen.field)).status == 503
        await database.end()

        async def heals() -> bool:
            return (await ask(unseen)).status == 204

        await eventually(heals)
        assert refusal(await ask(unknown_key(site))) == (401, "AUTH_ERROR", "invalid")
        assert (await site.gateway("apikey", "revoke", "seen", "--consumer", "seen")).code == 0

        async def ends() -> bool:
            return (await ask(seen)).status == 401

        await eventually(ends)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stop", [signal.SIGTERM, pytest.param(signal.SIGKILL, marks=pytest.mark.store)])
async def test_start_without_the_database_knows_what_was_taken_back(
    way: str, stop: signal.Signals, site: Site, redis_url: str
) -> None:
    """Every worker does, however the gateway ended; and when the database answers, what it says counts."""
    site.env["REDIS_URL"] = redis_url
    data_node = ("--role", "data", "--workers", "2")
    await site.apply(CLOSED)
    async with staff_of(site) as staff:
        await staff.do("for name in ('good', 'gone', 'away'): account(name)")
    async with outage(way, site) as database:
        async with site.serving("--workers", "2") as before:
            good, gone, away = [await signed_in(before, name) for name in ("good", "gone", "away")]
            assert (await before.get("/api/auth/logout", gone.field, method="POST")).status == 204
            await eventually(lambda: refused_everywhere(gone, before))
            kept = site.var_dir / "identity-changes"
            await eventually(lambda: b'"session:' in kept.read_bytes())
            end(before, stop)
            await before.ended()
        await database.begin()
        async with site.serving(*data_node) as after:
            assert await answers(gone, after) == [401, 401]
            assert await answers(good, after) == [204, 204]
            assert ("revocations are known up to number" in after.text) is database.gone
            await database.end()
            assert (await site.gateway("user", "disable", "away")).code == 0
            await eventually(lambda: refused_everywhere(away, after))
            assert await answers(good, after) == [204, 204]


def end(running: Running, how: signal.Signals) -> None:
    """At once means all of its processes, as when the machine loses its power."""
    if how is signal.SIGKILL:
        os.killpg(running.process.pid, how)
    else:
        running.process.send_signal(how)


async def answers(caller: Caller, running: Running) -> list[int]:
    """The status that each worker answers with."""
    async with connections_to_each_worker(running) as clients:
        return [(await caller.ask(client, "/closed")).status for client in clients]


async def refused_everywhere(caller: Caller, running: Running) -> bool:
    return set(await answers(caller, running)) == {401}


@pytest.mark.store
async def test_who_knows_no_revocation_says_so(site: Site) -> None:
    """A start without the database, and without a file in VAR_DIR: tokens pass, and the log has it."""
    await site.apply(CLOSED)
    async with staff_of(site) as staff:
        await staff.do("account('ada')")
    async with outage(WAYS[0], site) as database:
        async with site.serving() as before:
            ada = await signed_in(before, "ada")
            before.process.send_signal(signal.SIGTERM)
            await before.ended()
        (site.var_dir / "identity-changes").unlink()
        await database.begin()
        async with site.serving() as after:
            assert (await after.get("/closed", ada.field)).status == 204
            assert after.text.count("no revocation is known") == 1
        await database.end()


async def test_file_without_a_database(tmp_path: Path) -> None:
    """Tokens that JWT_SECRET signs pass; for keys and sessions there is nobody to ask."""
    site = Site(tmp_path, {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing", "JWT_SECRET": SHARED})
    token = jwt.encode({"sub": "7", "exp": 4_000_000_000}, SHARED, "HS256")
    forged = jwt.encode({"sub": "7", "exp": 4_000_000_000}, SHARED + "!", "HS256")
    async with site.serving("--revision", site.write(CLOSED)) as running:
        assert (await running.get("/closed", bearer("7", token).field)).status == 204
        assert refusal(await running.get("/closed"))[:2] == (401, "AUTH_ERROR")
        assert refusal(await running.get("/closed", bearer("7", forged).field))[:2] == (401, "AUTH_ERROR")
        assert refusal(await running.get("/closed", unknown_key(site).field))[0] == 503
        assert (await running.get("/health", bearer("7", forged).field)).status == 200


async def test_data_node_judges_what_a_control_node_issues(site: Site) -> None:
    """Tokens are issued by one process and judged by another; the data node itself issues none."""
    await site.apply(CLOSED)
    async with staff_of(site) as staff:
        await staff.do("account('ada')")
    async with site.serving("--role", "control") as control, site.serving("--role", "data") as data:
        ada = await signed_in(control, "ada")
        assert (await data.get("/closed", ada.field)).status == 204
        login = {"username": "ada", "password": PASSWORD}
        assert (await post(data, "/api/auth/login", login)).status == 404
        assert (await control.get("/api/auth/logout", ada.field, method="POST")).status == 204

        async def ended() -> bool:
            return (await data.get("/closed", ada.field)).status == 401

        await eventually(ended)
