"""A route's `cache`, compiled, and what explain says of it."""

import pytest

from routing.document.answers import CacheSpec
from routing.shapes.cache import CachePolicy, bypassed_because, cache_note, cache_of


def test_a_route_without_cache_has_no_policy() -> None:
    """One with an empty section caches what says itself how long it is fresh."""
    assert cache_of(None) is None
    assert cache_of(CacheSpec()) == CachePolicy()


def test_keys_become_a_policy() -> None:
    """Names of fields in lower case and sorted; override without ttl overrides nothing."""
    spec = CacheSpec.model_validate(
        {
            "ttl": "60s",
            "override": True,
            "vary": ["X-Tenant", "Accept", "accept"],
            "negative_ttl": "10s",
            "stale_while_revalidate": "5s",
            "stale_if_error": "1h",
            "max_body": "64KB",
            "tags": ["shop", "shop"],
        }
    )

    assert cache_of(spec) == CachePolicy(
        60.0, True, 10.0, 5.0, 3600.0, (b"accept", b"x-tenant"), ("shop",), spec.max_body
    )
    assert cache_of(CacheSpec(override=True)) == CachePolicy()


@pytest.mark.parametrize(
    ("method", "headers", "because"),
    [
        ("GET", (), ""),
        ("HEAD", (), ""),
        ("GET", ((b"cache-control", b"max-age=0, No-Store"),), "the request says no-store"),
        ("POST", (), "POST is not answered from a cache; it may end what is stored of the URL"),
    ],
)
def test_some_requests_pass_the_cache(
    method: str, headers: tuple[tuple[bytes, bytes], ...], because: str
) -> None:
    """By their method, or because they say so."""
    assert bypassed_because(method, headers) == because


def test_explain_says_whom_an_answer_is_for() -> None:
    """And that nothing is looked up for a POST."""
    policy = CachePolicy(ttl_s=5.0)
    (mine,) = cache_note(policy, "route", method="GET", headers=(), has_caller=True)
    (anybody,) = cache_note(policy, "route", method="GET", headers=(), has_caller=False)
    (post,) = cache_note(policy, "route", method="POST", headers=(), has_caller=False)

    assert (mine.outcome, mine.details["request"]) == ("applies", "hit or miss")
    assert mine.details["shared"].startswith("with this caller alone")
    assert anybody.details["shared"] == "with everybody who sends no credentials"
    assert (post.outcome, "shared" in post.details) == ("pass", False)
    assert list(cache_note(None, "route", method="GET", headers=(), has_caller=False)) == []
