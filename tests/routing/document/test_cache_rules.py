"""What the keys of a route's `cache` must be to each other."""

from typing import Any

import pytest

from routing.document.cache_rules import check_cache
from tests.support.documents import lines


@pytest.mark.parametrize(
    ("route", "cache", "found"),
    [
        ({}, {"ttl": "60s", "override": True, "methods": ["GET", "HEAD"], "vary": ["accept"]}, []),
        ({}, {}, []),
        ({}, "text", []),
        (
            {},
            {"methods": [1, {}]},
            ["E036 cache.methods: needs GET: HEAD is answered from what GET has brought"],
        ),
        (
            {},
            {"methods": ["GET", "POST"]},
            [
                'E005 cache.methods[1]: "POST" has no answers that are cached; possible: GET, and HEAD, which goes '
                "with it"
            ],
        ),
        (
            {},
            {"methods": ["HEAD"]},
            ["E036 cache.methods: needs GET: HEAD is answered from what GET has brought"],
        ),
        ({}, {"override": True}, ["W005 cache.override: has no effect: there is no ttl that could win"]),
        ({"respond": {}}, {"ttl": "1s"}, ["W005 cache: has no effect: respond asks no service"]),
    ],
)
def test_keys_go_together(route: dict[str, Any], cache: Any, found: list[str]) -> None:
    """What could not work is refused, what would do nothing is said."""
    assert lines(check_cache(route, cache)) == found


def test_nothing_is_said_twice() -> None:
    """A tag that comes twice."""
    assert [line[:4] for line in lines(check_cache({}, {"tags": ["a", "a"]}))] == ["E032"]
