"""The closed list of what a text may ask of a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.document.interpolation import fill
from routing.document.variables import (
    PLAIN_NAMES,
    check_variables,
    escaped,
    has_variables,
    is_of_requests,
    is_templated,
    judge,
)

PLACE = ("routes", 0, "request_headers", "set", "X-A")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("consumer.nam", 'did you mean "consumer.name"'),
        ("request.heder.x", 'did you mean "request.header.…"'),
        ("nothing.like.it", "stands for nothing; known are consumer.id"),
        ("request.header.a b", "not a header name"),
        ("request.header.X-User-Id", "say ${user.id}"),
        ("request.header.X_User_Name", "say ${user.name}"),
        ("request.header.X-Forwarded-For", "say ${request.client_ip}"),
        ("path.idd", 'did you mean "id"'),
        ("response.status", "before there is an answer"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(name: str, words: str) -> None:
    """So that a typing error is not a header that is never set."""
    assert words in judge(name, "request_headers", ("id",))


@pytest.mark.parametrize("name", [*PLAIN_NAMES, "path.id", "request.query.a[b]", "request.header.x-tenant"])
def test_known_names(name: str) -> None:
    """Where there is an answer, all of them."""
    assert judge(name, "response_headers", ("id",)) == ""


def test_a_path_has_no_path_in_it() -> None:
    """And without a template there is nothing to ask for."""
    assert "slashes" in judge("request.path", "rewrite", ())
    assert "path_type template" in judge("path.id", "rewrite", ())
    assert judge("path.id", "rewrite", None) == ""


def test_findings_have_their_place() -> None:
    """One for each wrong name; escapes are none."""
    text = "${consumer.id} ${user.nme} $${user.nme} ${x.y:-z}"
    found = list(check_variables(text, PLACE, "request_headers", in_path=()))
    assert [(finding.id, finding.location) for finding in found] == [("gateway.E045", PLACE)] * 2


def test_places() -> None:
    """Header values, rewrites, and what aggregates ask for."""
    assert is_templated(PLACE)
    assert is_templated(("rewrite", "host"))
    assert not is_templated(("routes", 0, "respond", "headers", "set"))
    assert is_of_requests(("aggregate", "parts", "a", "path"))
    assert not is_templated(("aggregate", "parts", "a", "path"))


def test_the_environment_leaves_names_of_requests_alone() -> None:
    """A value from the environment is never taken for a name; elsewhere such a name is refused."""
    raw = {"request_headers": {"set": {"a": "${consumer.id} ${V} $${user.id} $${W}"}}}
    filled = fill(raw, {"V": "${user.name}"})
    assert filled.problems == ()
    value = filled.value["request_headers"]["set"]["a"]
    assert value == "${consumer.id} $${user.name} $${user.id} ${W}"
    [problem] = fill({"respond": {"body": "${consumer.id}"}}, {}).problems
    assert problem.id == "gateway.E028"
    assert fill({"respond": {"body": "$${consumer.id}"}}, {}).value["respond"]["body"] == "${consumer.id}"


@given(st.text(alphabet="${}.ab:-", max_size=20))
def test_escaped_texts_stand_for_nothing(text: str) -> None:
    """Whatever the environment holds."""
    found = list(check_variables(escaped(text), PLACE, "request_headers", in_path=()))
    assert found == [] or "$${" in text
    assert has_variables(text) or escaped(text) == text
