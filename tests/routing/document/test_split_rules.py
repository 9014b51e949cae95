"""What `backends` and the keys that go with them must be to each other."""

from typing import Any

import pytest

from routing.document.split_rules import check_backends
from tests.support.documents import lines

TWO = [{"service": "a", "weight": 9}, {"service": "b"}]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"backends": TWO, "sticky": {"cookie": "v"}, "force": {"header": "X-V"}}, []),
        ({"backends": TWO, "sticky": "consumer", "force": {"cookie": "v"}}, []),
        ({"backends": TWO, "canary": {"steps": [5, 50]}}, []),
        (
            {"backends": TWO[:1], "canary": {}},
            ["E036 canary: needs two backends at least: the last one is the canary"],
        ),
        ({"backends": TWO, "canary": {"steps": []}}, ["E036 canary.steps: at least one step is needed"]),
        (
            {"backends": TWO, "canary": {"steps": [5, 50, 50]}},
            ["E036 canary.steps: each step must be above the one before"],
        ),
        (
            {"backends": [{"service": "a", "weight": 0}]},
            ["E036 backends: at least one weight must be above 0"],
        ),
        ({"backends": [*TWO, {"service": "a"}]}, ['E032 backends[2].service: "a" is there twice']),
        (
            {"backends": TWO, "sticky": {"cookie": "a b"}},
            ['E018 sticky.cookie: "a b" is not the name of a cookie'],
        ),
        (
            {"backends": TWO, "force": {"header": "x:y"}},
            ['E018 force.header: "x:y" is not the name of a header'],
        ),
        (
            {"backends": TWO, "force": {"header": "Cookie"}},
            ['E018 force.header: "Cookie" says something else'],
        ),
        (
            {"backends": TWO, "sticky": {"cookie": "v"}, "force": {"cookie": "v"}},
            ["E022 force.cookie: is the cookie that sticky sets itself"],
        ),
        (
            {"backends": TWO, "canary": {"every": "1m"}, "cache": {"ttl": "1m"}},
            ["E022 cache: does not go with canary"],
        ),
        ({"backends": "a", "sticky": 5}, []),
        ({"backends": [5, {"service": 5}], "sticky": {"cookie": 5}, "force": {"header": None}}, []),
    ],
)
def test_keys_of_backends(keys: dict[str, Any], found: list[str]) -> None:
    """Wrong types are somebody else's to judge."""
    reported = lines(check_backends(keys, keys["backends"]))

    assert len(reported) == len(found), reported
    assert all(line.startswith(start) for line, start in zip(reported, found, strict=True))
