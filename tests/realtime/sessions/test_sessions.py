"""All clients of a worker: who shares a token, and who comes while the worker is leaving."""

import pytest

from authproxy.changes import Change
from tests.support.callers import NOW
from tests.support.clientsockets import endpoint, heard, say


async def test_who_was_revoked_amid_the_handshake_is_closed() -> None:
    """The connection stands already when the change is known."""
    async with endpoint() as place:
        identity = place.callers.tokens[b"ada"]
        async with place.client() as ada:
            await heard(ada, "connected")
            place.changes.note([Change(5, "user:7", NOW)])
            place.sessions._judge(next(iter(place.sessions._all)))
            await ada.wait_closed()
            assert ada.close_code == 4401
        assert place.changes.is_stale(identity)  # type: ignore[arg-type]


async def test_everybody_is_a_subject_of_all() -> None:
    async with endpoint() as place, place.client() as ada, place.client(token="bob") as bob:
        await heard(ada, "connected")
        await heard(bob, "connected")
        place.changes.note([Change(5, "all", NOW)])
        await ada.wait_closed()
        await bob.wait_closed()
        assert (ada.close_code, bob.close_code) == (4401, 4401)


async def test_who_comes_late_is_asked_to_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.sessions.sessions.LEAVING_S", 30.0)
    async with endpoint() as place:
        place.sessions.leave()
        async with place.client() as ada:
            await heard(ada, "connected")
            await heard(ada, "reconnect")
            await say(ada, "ping")
            assert (await heard(ada))["type"] == "pong"


async def test_counts() -> None:
    async with endpoint() as place, place.client() as ada:
        await heard(ada, "connected")
        await ada.send("nonsense")
        await heard(ada, "error")
        assert (len(place.sessions), place.sessions.tally.opened, place.sessions.tally.refused) == (
            1,
            1,
            1,
        )


async def test_who_came_by_a_provider_that_is_gone_is_closed() -> None:
    async with endpoint() as place:
        place.callers.token("eve", consumer="eve", provider="azure")
        async with place.client(token="eve") as eve, place.client() as ada:
            await heard(eve, "connected")
            await heard(ada, "connected")
            place.sessions.reconcile(place.plane._current())
            await eve.wait_closed()
            assert eve.close_code == 4401
            await say(ada, "ping")
            await heard(ada, "pong")


async def test_a_provider_s_user_is_not_addressed_as_an_account() -> None:
    """Both have the id 7, and neither has the other's topic."""
    async with endpoint() as place:
        place.callers.token("eve", user_id="7", consumer="azure:7", provider="azure")
        async with place.client(token="eve") as eve, place.client() as ada:
            await heard(eve, "connected")
            await heard(ada, "connected")
            topics = {session.identity.provider: session.own for session in place.sessions._all}
            assert "user.azure:7" in topics["azure"]
            assert "user.7" not in topics["azure"]
            assert "user.7" in topics[""]


async def test_revoking_an_account_leaves_a_provider_s_user_of_the_same_id() -> None:
    """Subjects of changes are the gateway's own accounts; a provider's user rests on none."""
    async with endpoint() as place:
        place.callers.token("eve", user_id="7", consumer="account:7", provider="account")
        async with place.client(token="eve") as eve, place.client() as ada:
            await heard(eve, "connected")
            await heard(ada, "connected")
            place.changes.note([Change(5, "user:7", NOW)])
            await ada.wait_closed()
            assert ada.close_code == 4401
            await say(eve, "ping")
            await heard(eve, "pong")
