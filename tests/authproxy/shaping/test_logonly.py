"""What policies decide is counted, and stays bounded."""

from types import SimpleNamespace
from typing import Any

from authproxy.rejections import Code, Rejection
from authproxy.shaping.logonly import JUDGEMENTS, MOST_KINDS, Judgements, concluded

REFUSAL = Rejection(Code.INVALID_REQUEST, "no")


def _exchange(route: str) -> Any:
    return SimpleNamespace(route=SimpleNamespace(name=route), would=())


def test_only_what_is_enforced_refuses() -> None:
    """The other way is counted apart."""
    exchange = _exchange("logonly-test")

    assert concluded(exchange, "ip", "deny", REFUSAL, is_enforced=True) is REFUSAL
    assert concluded(exchange, "ip", "deny", REFUSAL, is_enforced=False) is None
    assert JUDGEMENTS.refused["logonly-test", "ip", "deny"] == 1
    assert JUDGEMENTS.would_refuse["logonly-test", "ip", "deny"] == 1
    assert exchange.would == (("ip", REFUSAL),)


def test_counts_are_bounded() -> None:
    """However many routes come and go."""
    judgements = Judgements()
    for number in range(MOST_KINDS + 10):
        judgements.note((f"r{number}", "ip", "deny"), is_enforced=False)

    assert len(judgements.would_refuse) <= MOST_KINDS
