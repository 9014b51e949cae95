"""Who may pass a route, what the upstream is told of them, and what is told of those who may not."""

from typing import Any

import orjson
import pytest

from authproxy import csrf, tickets
from authproxy.admission import Gatekeeper
from authproxy.exchange import Exchange
from authproxy.forwarded import ForwardingFields
from authproxy.pipeline import Pipeline
from authproxy.security import SecurityEvent
from tests.support.asgi import Recorder, http_scope, playback
from tests.support.callers import PEPPER, Callers, Refusal, Reports, gatekeeper, planner
from tests.support.gateway import builtin, document, route
from tests.support.snapshots import snapshot_of

Pair = tuple[bytes, bytes]
OK = {"respond": {"status": 200, "body": "ok"}}
BEARER = (b"authorization", b"Bearer t")
FORGED = (b"authorization", b"Bearer forged")


class Run:
    """A gateway with one route, `/x`, that answers by itself."""

    def __init__(self, auth: Any = None, *, keeper: dict[str, Any] | None = None, **keys: Any) -> None:
        self.callers = Callers()
        self.reports = Reports()
        self.keeper: Gatekeeper = gatekeeper(self.callers, report=self.reports, **(keeper or {}))
        raw = document(
            route(path="/x", auth=auth or {}, **{**OK, **keys}), services={"s": "http://127.0.0.1:1"}
        )
        snapshot = snapshot_of(raw, prepare_route=planner(self.keeper))
        self.finished: list[Exchange] = []
        self._pipeline = Pipeline(
            snapshot=lambda: snapshot,
            builtin=builtin,
            recognise=self.keeper.recognise,
            forwarding=ForwardingFields(),
            on_finish=(self.finished.append,),
        )

    async def __call__(self, *pairs: Pair, method: str = "GET") -> Recorder:
        send = Recorder()
        scope = http_scope(method, "/x", headers=[(b"host", b"gateway.test"), *pairs])
        await self._pipeline(scope, playback(), send)
        return send

    @property
    def exchange(self) -> Exchange:
        return self.finished[-1]


def details(answer: Recorder) -> Any:
    return orjson.loads(answer.body)["error"]["details"]


async def test_route_is_closed_unless_it_says_public() -> None:
    """The default level is "user": anybody whom a credential proves."""
    run = Run()
    run.callers.token("t")

    assert (await run()).status == 401
    assert (await run(BEARER)).status == 200
    assert (await Run({"level": "public"})()).status == 200


@pytest.mark.parametrize(
    ("known", "status", "reason"), [("invalid", 401, "invalid"), ("expired", 401, "expired")]
)
async def test_refusal_has_one_shape(known: Any, status: int, reason: str) -> None:
    """Code, constant message, reason, methods, and how to authenticate."""
    run = Run({"methods": ["jwt", "api_key"]}, keeper={"realm": "shop"})
    run.callers.tokens[b"t"] = Refusal(known)
    answer = await run(BEARER)
    error = orjson.loads(answer.body)["error"]

    assert (answer.status, error["code"]) == (status, "AUTH_ERROR")
    assert error["details"] == {"reason": reason, "methods": ["jwt", "api_key"]}
    assert [value for name, value in answer.headers if name == b"www-authenticate"] == [
        b'Bearer realm="shop", error="invalid_token"',
        b'ApiKey realm="shop"',
    ]


@pytest.mark.parametrize(
    "pair",
    [
        (b"authorization", b"Bearer"),
        (b"authorization", b"Bearer \xff\x00\xfe"),
        (b"authorization", b"Bearer " + b"a." * 30_000),
        (b"authorization", b"ApiKey tor_"),
        (b"x-api-key", b""),
        (b"x-api-key", b"\x80" * 10_000),
        (b"cookie", b"torana_session=" + b"tos_" * 1000),
        (b"cookie", b'torana_session="; "'),
    ],
)
async def test_malformed_credentials_are_invalid(pair: Pair) -> None:
    """Whatever the bytes: 401, never a 500."""
    answer = await Run()(pair)

    assert (answer.status, details(answer)["reason"]) == (401, "invalid")


@pytest.mark.parametrize(
    "pair", [(b"authorization", b"Basic dTpw"), (b"cookie", b"a=b"), (b"x_api_key", b"k")]
)
async def test_what_is_not_ours_is_missing(pair: Pair) -> None:
    """It may be the upstream's, but it is no way in."""
    assert details(await Run()(pair))["reason"] == "missing"


async def test_store_away_is_told_with_retry_after() -> None:
    """503 for whom nobody can look up; nobody is let in."""
    run = Run()
    key, _ = run.callers.ticket()
    run.callers.is_away = True
    answer = await run((b"x-api-key", key.encode()))

    assert answer.status == 503
    assert orjson.loads(answer.body)["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert answer.header(b"retry-after") == b"1"


async def test_known_caller_without_the_right_is_told_what_is_missing() -> None:
    """403 with the details of `authorise.judge`."""
    run = Run({"level": "admin", "scopes": ["write"]})
    run.callers.token("t", direct=frozenset({"read"}))
    answer = await run(BEARER)

    assert answer.status == 403
    assert details(answer) == {"level": "admin", "missing_scopes": ["write"]}


async def test_public_route_still_learns_who_calls() -> None:
    """Here and there it greets somebody by name."""
    run = Run({"level": "public"})
    ada = run.callers.token("t")
    await run(BEARER)

    assert run.exchange.identity is ada


@pytest.mark.parametrize(("reject", "statuses"), [(False, [200, 200, 200]), (True, [401, 401, 503])])
async def test_public_route_minds_invalid_credentials_only_if_it_says_so(
    reject: bool, statuses: list[int]
) -> None:
    """Forged, expired, or not to be checked now; none at all is always welcome."""
    run = Run({"level": "public", "reject_invalid": reject})
    run.callers.tokens[b"old"] = Refusal("expired")
    key, _ = run.callers.ticket()
    run.callers.is_away = True
    pairs = FORGED, (b"authorization", b"Bearer old"), (b"x-api-key", key.encode())

    assert [(await run(pair)).status for pair in pairs] == statuses
    assert (await run()).status == 200
    assert run.exchange.identity is None


async def test_mode_log_judges_counts_and_lets_pass() -> None:
    """So that somebody can see what a rule would do."""
    run = Run({"scopes": ["write"], "mode": "log"})
    run.callers.token("t")

    assert [(await run(*pairs)).status for pairs in ([], [FORGED], [BEARER])] == [200, 200, 200]
    assert run.keeper.refusals == {"missing": 1, "invalid": 1, "forbidden": 1}
    assert run.reports.events == []
    told = [(policy, refusal.status) for each in run.finished for policy, refusal in each.would]
    assert told == [("auth", 401), ("auth", 401), ("auth", 403)]


async def test_authentication_can_be_switched_off() -> None:
    """Anybody passes then, and whoever shows a credential is still known."""
    run = Run({"level": "admin", "reject_invalid": True}, keeper={"is_on": False})
    ada = run.callers.token("t")

    assert [(await run(*pairs)).status for pairs in ([], [FORGED], [BEARER])] == [200, 200, 200]
    assert run.exchange.identity is ada


async def test_security_events_name_who_where_and_why() -> None:
    """Forged credentials and missing rights; not the everyday: nothing shown, or something expired."""
    run = Run({"scopes": ["write"]})
    run.callers.token("t")
    run.callers.tokens[b"old"] = Refusal("expired")
    for pairs in ([], [(b"authorization", b"Bearer old")], [FORGED], [BEARER]):
        await run(*pairs)

    assert run.reports.events == [
        SecurityEvent("auth_failed", address="192.0.2.1", details={"route": "r", "reason": "invalid"}),
        SecurityEvent(
            "forbidden", "ada", address="192.0.2.1", details={"route": "r", "missing_scopes": ["write"]}
        ),
    ]
    assert run.keeper.refusals == {"missing": 1, "expired": 1, "invalid": 1, "forbidden": 1}


# --- Cookies -----------------------------------------------------------------------------------------------------


async def signed_in(run: Run, *pairs: Pair, method: str = "POST") -> Recorder:
    text, _ = run.callers.ticket(tickets.SESSION, session="s1")
    return await run((b"cookie", b"torana_session=" + text.encode()), *pairs, method=method)


@pytest.mark.parametrize(
    ("pair", "status"),
    [
        ((b"origin", b"http://gateway.test"), 200),
        ((b"sec-fetch-site", b"same-origin"), 200),
        ((b"x-csrf-token", csrf.token_for("s1", pepper=PEPPER).encode()), 200),
        ((b"origin", b"http://evil.test"), 403),
        ((b"accept", b"*/*"), 403),
    ],
)
async def test_cookie_speaks_only_for_what_its_user_meant(pair: Pair, status: int) -> None:
    """A write needs a sign that it comes from here; other credentials do not."""
    assert (await signed_in(Run(), pair)).status == status
    assert (await signed_in(Run(), pair, method="GET")).status == 200


async def test_cross_site_write_is_told_apart() -> None:
    """403, so that nobody signs in again for nothing; and somebody is told."""
    run = Run()
    answer = await signed_in(run, (b"origin", b"http://evil.test"))

    assert (answer.status, details(answer)) == (403, {"reason": "cross_site"})
    assert [event.details["reason"] for event in run.reports.events] == ["cross_site"]


@pytest.mark.parametrize("reject", [False, True])
async def test_cross_site_cookie_is_as_good_as_none_on_a_public_route(reject: bool) -> None:
    """The request passes, but nobody is known to have made it."""
    run = Run({"level": "public", "reject_invalid": reject})
    answer = await signed_in(run, (b"origin", b"http://evil.test"))

    assert (answer.status, run.exchange.identity) == (200, None)


# --- What the upstream gets ----------------------------------------------------------------------------------------


async def told(*pairs: Pair, **keys: Any) -> list[Pair]:
    """The fields about the caller, on a public route, when ada comes with `pairs`."""
    run = Run({"level": "public"}, **keys)
    run.callers.token("t", user_id="1", direct=frozenset({"read"}))
    await run(*pairs)
    return list(run.exchange.caller_fields)


ADA = [
    (b"x-user-id", b"1"),
    (b"x-user-scopes", b"read"),
    (b"x-consumer", b"ada"),
    (b"x-auth-method", b"jwt"),
]


async def test_upstream_is_told_who_calls() -> None:
    """In header fields, after what is left of the credentials."""
    assert sorted(await told(BEARER)) == sorted(ADA)
    assert await told((b"cookie", b"a=1"), BEARER) == [(b"cookie", b"a=1"), *await told(BEARER)]
    assert await told(BEARER, forward_identity="none") == []
    assert await told(FORGED) == [FORGED]


@pytest.mark.parametrize(
    ("forward", "left"), [("auto", [b"x-api-key"]), ("all", [b"authorization", b"x-api-key"]), ("none", [])]
)
async def test_credentials_go_on_as_the_route_says(forward: str, left: list[bytes]) -> None:
    """`auto`: all but the one that won."""
    fields = await told(BEARER, (b"x-api-key", b"k"), forward_credentials=forward, forward_identity="none")

    assert [name for name, _ in fields] == left


async def test_token_for_the_upstream_takes_the_place_of_authorization() -> None:
    """And of everything else that tells who calls."""
    keys = {"forward_identity": "token", "forward_credentials": "all", "service": "s", "respond": None}
    fields = await told(BEARER, (b"cookie", b"a=1"), **keys)

    assert fields == [(b"cookie", b"a=1"), (b"authorization", b"Bearer ada-for-s")]


async def test_no_key_signs_no_token_goes_on() -> None:
    """The upstream then knows nobody; it is not sent what was meant for the gateway."""
    keys = {"forward_identity": "token", "service": "s", "respond": None}

    assert await told(BEARER, keeper={"mint": lambda *_: None}, **keys) == []
