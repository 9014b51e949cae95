"""Pages of other origins: what answers say to them."""

from typing import Any

import pytest

from authproxy.shaping.cors import Cors, prepared
from routing.shapes.cors import CorsPolicy, default_cors
from tests.support.asgi import Recorder
from tests.support.exchanges import exchange

APP = b"https://app.test"
POLICY = CorsPolicy(origins=frozenset({APP}), credentials=True, expose=("x-total",))


def said(policy: CorsPolicy, *origins: bytes) -> dict[bytes, bytes]:
    asked = exchange(headers=[(b"origin", origin) for origin in origins])
    asked.answer_fields = ((b"x-kept", b"1"),)
    Cors(policy).step(asked)
    return dict(asked.answer_fields)


def test_each_answer_says_who_may_read_it() -> None:
    """Beside what it says already."""
    assert said(POLICY, APP) == {
        b"x-kept": b"1",
        b"access-control-allow-origin": APP,
        b"access-control-allow-credentials": b"true",
        b"access-control-expose-headers": b"x-total",
        b"vary": b"Origin",
    }


@pytest.mark.parametrize("origins", [(), (b"https://other.test",), (b"null",), (APP, APP)])
def test_others_learn_nothing(origins: tuple[bytes, ...]) -> None:
    """But the answer depends on who asks, which caches must know."""
    assert said(POLICY, *origins) == {b"x-kept": b"1", b"vary": b"Origin"}


def test_what_is_for_everybody_does_not_vary() -> None:
    """Also without an origin, or a cache would keep an answer that says nothing."""
    anybody = default_cors(["*"])
    assert anybody is not None

    assert said(anybody)[b"access-control-allow-origin"] == b"*"
    assert b"vary" not in said(anybody, APP)


def test_origins_are_remembered_within_bounds() -> None:
    """A family may have any number of them."""
    family = default_cors(["https://*.app.test"])
    assert family is not None
    cors = Cors(family)

    for number in range(1000):
        asked = exchange(headers=[(b"origin", b"https://h%d.app.test" % number)])
        cors.step(asked)
        assert dict(asked.answer_fields)[b"access-control-allow-origin"] == b"https://h%d.app.test" % number
    assert len(cors._said) <= 256


async def test_a_preflight_is_answered() -> None:
    """Without a body, and with what may come."""
    send = Recorder()
    asked = exchange(headers=[(b"origin", APP)], send=send)
    refusal = await Cors(POLICY).preflight(asked, "PUT")

    assert refusal is None
    assert send.status == 204
    assert send.header(b"access-control-allow-origin") == APP
    assert send.header(b"access-control-allow-methods") == b"PUT"


async def test_a_preflight_of_a_stranger_is_refused() -> None:
    """With an answer that caches keep apart."""
    asked = exchange(headers=[(b"origin", b"https://other.test")])
    refusal = await Cors(POLICY).preflight(asked, "PUT")

    assert refusal is not None
    assert (refusal.status, refusal.details) == (403, {"reason": "origin"})
    fields: Any = dict(asked.answer_fields)
    assert list(fields) == [b"vary"]


def test_equal_policies_share_what_is_made_of_them() -> None:
    """Ten thousand routes with the default policy hold one."""
    assert prepared(CorsPolicy(any_origin=True)) is prepared(CorsPolicy(any_origin=True))
