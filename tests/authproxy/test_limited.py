"""Sums of what quotas refused: exact, bounded, and told in words that people read."""

from hypothesis import given
from hypothesis import strategies as st

from authproxy.limited import (
    MOST_IDS,
    Limited,
    Sums,
    caller_text,
    digest,
    period_text,
    why,
)


def limited(
    caller: str = "ip:1.2.3.4", *, at: float = 1.0, is_enforced: bool = True, request_id: str = "id"
) -> Limited:
    return Limited(at, "free", caller, "r", request_id, 10, 60.0, 5.0, is_enforced)


def test_requests_of_a_caller_are_one_sum() -> None:
    """With the first time, the last request, and what was refused apart from what would have been."""
    sums = Sums()
    for number in range(MOST_IDS + 2):
        sums.note(limited(at=float(number), is_enforced=number > 0, request_id=f"i{number}"))
    sums.note(limited("ip:5.6.7.8"))
    assert len(sums) == 2
    found, other = sums.take().values()
    assert (found.first_at, found.last.at) == (0.0, MOST_IDS + 1.0)
    assert (found.refused, found.would_refuse) == (MOST_IDS + 1, 1)
    assert [found.ids[0], found.ids[-1], len(found.ids)] == ["i2", f"i{MOST_IDS + 1}", MOST_IDS]
    assert other.refused == 1
    assert len(sums) == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["note", "fail", "write"]))), st.integers(1, 4))
def test_no_request_is_counted_twice_or_forgotten(steps: list[tuple[int, str]], limit: int) -> None:
    """Whatever is put back and however many callers there are: all are in a sum, or counted as left out."""
    sums, noted, written = Sums(limit=limit), 0, 0
    for caller, step in steps:
        taken = sums.take() if step != "note" else {}
        sums.note(limited(f"ip:{caller}", at=float(noted)))
        noted += 1
        if step == "fail":
            sums.put_back(taken)
        written += sum(each.refused for each in taken.values()) if step == "write" else 0
        assert len(sums) <= limit
    kept = sums.take().values()
    assert written + sum(each.refused for each in kept) + sums.left_out == noted
    assert all(each.first_at <= each.last.at for each in kept)


def test_callers_are_known_by_all_parts() -> None:
    """What is put together differently is another one."""
    assert digest("a", "b", "c") != digest("ab", "", "c")
    assert len(digest("a", "\ud800", "c")) == 32


def test_what_people_read() -> None:
    """Periods, whose requests are counted together, and why one was refused."""
    assert [period_text(1.0), period_text(60.0), period_text(300.0)] == ["second", "minute", "5m"]
    assert period_text(86_400.0, "day") == "day (UTC)"
    for key, text in (
        ("consumer:ada|route:orders", "consumer ada, route orders"),
        ("ip:2001:db8::/64", "address 2001:db8::/64"),
        ("api_key:7", "API key 7"),
        ("header:x-tenant=a%7Cb%25", "header x-tenant: a|b%"),
        (f"header:authorization=%{'a' * 32}", f"header authorization: #{'a' * 32}"),
        ("service:", "service"),
        ("global", "everybody together"),
    ):
        assert caller_text(key) == text
    told = {"quota": "free", "limit": 10, "per": "minute", "caller": "consumer:ada"}
    assert why(**told, is_enforced=True) == (
        "Quota free allows 10 requests per minute to consumer ada: further ones were refused."
    )
    assert "would have been refused" in why(**told, is_enforced=False)
