"""Variables where a route may have them."""

from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from routing.document.template_rules import (
    check_header_variables,
    check_rewrite_variables,
    names_in_path,
    parse_templated_authority,
)
from routing.validation import check_route


def problems(**keys: Any) -> list[str]:
    raw = {"name": "r", "service": "s", **keys}
    return [f"{each.id} {each.path}" for each in check_route(raw, known_services=None)]


def test_names_of_a_path() -> None:
    """Of templates and of expressions; nobody knows those of defaults yet."""
    assert names_in_path({"match": {"path": "/a/{id}", "path_type": "template"}}) == ("id",)
    assert names_in_path({"match": {"path": "/a/(?P<id>x)", "path_type": "regex"}}) == ("id",)
    assert names_in_path({"match": {"path": "/a"}}) == ()
    assert names_in_path({"name": "r"}) == ()
    assert names_in_path({}) is None


def test_findings_have_their_place() -> None:
    """In the whole check, too."""
    headers = {"X-A": "${path.id}", "X-B": "${user.id}", "X-C": 5}
    [finding] = check_header_variables({"name": "r"}, headers, ("response_headers", "set"))
    assert finding.location == ("response_headers", "set", "X-A")
    assert problems(request_headers={"add": {"X-A": "${user.idd}"}}) == [
        "gateway.E045 request_headers.add.X-A"
    ]
    assert problems(response_headers={"set": {"X-A": "${response.status}"}}) == []


@pytest.mark.parametrize(
    ("rewrite", "found"),
    [
        ({"path": "/a/${user.id}"}, []),
        ({"path": "/a//${user.id}"}, ["gateway.E013"]),
        ({"path": "/a/../${user.id}"}, ["gateway.E013"]),
        ({"path": "/a?x=${user.id}"}, ["gateway.E013"]),
        ({"prefix": "/${request.path}"}, ["gateway.E045"]),
        ({"host": "${nobody.id}.test"}, ["gateway.E045"]),
        ({"path": 5, "host": None}, []),
    ],
)
def test_rewrites(rewrite: dict[str, Any], found: list[str]) -> None:
    """What is around the variables is plain."""
    assert [finding.id for finding in check_rewrite_variables({"name": "r"}, rewrite)] == found


def test_hosts() -> None:
    """A variable stands for a label."""
    assert parse_templated_authority("${path.t}.test:80") == "${path.t}.test:80"
    assert parse_templated_authority("a.test") == "a.test"
    for wrong in ("${path.t}/x", "A.test", "${path.t}.Test"):
        with pytest.raises(PydanticCustomError):
            parse_templated_authority(wrong)
