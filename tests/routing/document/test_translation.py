"""pydantic's errors in plain words."""

import re
from typing import Annotated, Any

import pytest
from hypothesis import given
from pydantic import Field, ValidationError

from routing.document.base import Spec
from routing.document.interpolation import fill
from routing.document.policies import IdentityProviderSpec
from routing.document.routes import RouteSpec
from routing.document.services import ServiceSpec
from routing.document.shape import shape_of
from routing.document.translation import translate
from tests.support.documents import anything, lines

MODELS = {"services": ServiceSpec, "routes": RouteSpec, "identity_providers": IdentityProviderSpec}


def report(kind: str, entry: dict[str, Any], env: dict[str, str] | None = None) -> list[str]:
    entry = fill({"name": "n", **entry}, env or {}).value
    with pytest.raises(ValidationError) as caught:
        MODELS[kind].model_validate(entry)
    return lines(translate(caught.value, shape_of(MODELS[kind]), entry))


@pytest.mark.parametrize(
    ("kind", "entry", "message"),
    [
        ("routes", {"servce": "a"}, 'E002 servce: unknown key (did you mean "service"?)'),
        ("routes", {"path": "/a"}, 'E002 path: unknown key (did you mean "match.path"?)'),
        ("routes", {"xyzzy": 1}, "E002 xyzzy: unknown key"),
        ("routes", {"match": {"hots": []}}, 'E002 match.hots: unknown key (did you mean "hosts"?)'),
        ("services", {"timeout": {"zzz": 1}}, "E002 timeout.zzz: unknown key; known here: connect, read, total"),
        ("services", {"targets": [{"weight": 1}]}, "E003 targets[0].url: is missing"),
        ("services", {"name": None}, "E003 name: is missing"),
        ("routes", {"match": "x"}, 'E004 match: must be a mapping (key: value), not "x"'),
        ("routes", {"match": {"methods": "GET"}}, 'E004 match.methods: must be a list, not "GET"; a list is'),
        ("routes", {"match": {"methods": {}}}, "E004 match.methods: must be a list, not a mapping"),
        ("routes", {"match": {"headers": []}}, "E004 match.headers: must be a mapping (key: value), not a list"),
        ("routes", {"match": {"headers": {"x": 5}}}, "E004 match.headers.x: must be a text or a mapping, not 5; put"),
        ("routes", {"match": {"path": 5}}, 'E004 match.path: must be a text, not 5; put it in quotes: "5"'),
        ("routes", {"match": {"path": []}}, "E004 match.path: must be a text, not a list"),
        ("routes", {"enabled": "yes"}, 'E004 enabled: must be true or false, not "yes"; say true'),
        ("routes", {"enabled": "Off"}, 'E004 enabled: must be true or false, not "Off"; say false'),
        ("routes", {"enabled": 1}, "E004 enabled: must be true or false, not 1"),
        ("routes", {"priority": "5"}, 'E004 priority: must be a whole number, not "5"; leave out the quotes'),
        ("routes", {"priority": 1.5}, "E004 priority: must be a whole number, not 1.5"),
        ("routes", {"priority": True}, "E004 priority: must be a whole number, not true"),
        ("services", {"retries": {"budget": "x"}}, 'E004 retries.budget: must be a number, not "x"'),
        ("services", {"retries": {"budget": 2}}, "E006 retries.budget: must be at most 1, not 2"),
        ("services", {"max_connections": 0}, "E006 max_connections: must be at least 1, not 0"),
        ("routes", {"match": {"path_type": "regx"}}, 'prefix, template, regex (did you mean "regex"?)'),
        ("routes", {"redirect": {"status": 305}}, "E005 redirect.status: 305 is not one of 301, 302, 303, 307, 308"),
        ("routes", {"match": {"path": ""}}, "E038 match.path: must not be empty"),
        ("routes", {"match": {"path": "/" * 3000}}, "E038 match.path: is longer than 2000 characters"),
        ("routes", {"rewrite": {"path": "a b"}}, 'E038 rewrite.path: "a b" must begin with / and hold neither spaces'),
        ("routes", {"fault": {"until": "x"}}, 'E038 fault.until: "x" is not a date such as 2026-12-31T18:00Z'),
        ("routes", {"aggregate": {"parts": {}}}, "E038 aggregate.parts: must not be empty"),
        ("routes", {"aggregate": {"parts": {str(n): {} for n in range(51)}}}, "aggregate.parts"),
        ("routes", {"match": {"headers": {"a b": "c"}}}, 'E018 match.headers["a b"]: "a b" is not a header name'),
        ("routes", {"require_headers": {"x": {"oneof": []}}}, 'x.oneof: unknown key (did you mean "one_of"?)'),
        ("routes", {"quotas": ["a b"]}, 'E009 quotas[0]: "a b" is not a name'),
        ("routes", {"redirect": {"path": "x"}}, 'E038 redirect.path: "x" must begin with /'),
        ("routes", {"timeout": 5}, 'E007 timeout: must be a duration with a unit, such as "5s", not 5'),
        ("services", {"ejection": {"for": 5}}, "E007 ejection.for"),
    ],
)  # fmt: skip
def test_words(kind: str, entry: dict[str, Any], message: str) -> None:
    """Each mistake has one sentence at the place where it was made."""
    assert message in report(kind, entry)[0]


def test_all_at_once() -> None:
    """Every mistake of an entry is reported, in the order of the schema."""
    found = report("routes", {"match": {"hosts": ["A", "*"], "path_type": "x"}, "priority": "1", "zzz": 1})

    assert [line.split(":")[0] for line in found] == [
        "E016 match.hosts[0]",
        "E016 match.hosts[1]",
        "E005 match.path_type",
        "E004 priority",
        "E002 zzz",
    ]


def test_environment_cannot_fill_columns() -> None:
    """Numbers and booleans that are columns are written out."""
    found = report("routes", {"priority": "${P}", "enabled": "${E}"}, {"P": "5", "E": "true"})

    assert found == [
        "E029 priority: must be a whole number written out; ${…} cannot stand here",
        "E029 enabled: must be true or false written out; ${…} cannot stand here",
    ]


def test_policies_from_the_environment() -> None:
    """Where a number may be filled in, it must be one."""
    found = report(
        "services", {"breaker": {"min_throughput": "${N}", "enabled": "${E}"}}, {"N": "x", "E": "maybe"}
    )

    assert found == [
        'E004 breaker.enabled: must be true or false, not "${E}"',
        'E004 breaker.min_throughput: must be a whole number, not "${N}"',
    ]


def test_errors_that_nobody_thought_of() -> None:
    """An error without words of its own still is a sentence at its place."""

    class Even(Spec):
        number: Annotated[int, Field(multiple_of=2)]

    with pytest.raises(ValidationError) as caught:
        Even.model_validate({"number": 3})

    assert lines(translate(caught.value, shape_of(Even), {"number": 3}))[0].startswith(
        "E004 number: input should be"
    )


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("services", {"tls": {"key": 424242}}),
        ("services", {"tls": {"key": ["424242"]}}),
        ("services", {"tls": {"kee": "424242"}}),
        ("identity_providers", {"secret": 424242}),
        ("routes", {"request_headers": {"set": {"Authorization": "424242\r\n"}}}),
        ("routes", {"timeout": "${PASSWORD}"}),
        ("services", {"targets": [{"url": "http://me:424242@h"}]}),
        ("services", {"targets": [{"url": "htp://me:424242@h"}]}),
    ],
)
def test_secrets_stay_secret(kind: str, entry: dict[str, Any]) -> None:
    """Neither message nor value shows a key, a credential, or what the environment holds."""
    raw = fill({"name": "n", **entry}, {"PASSWORD": "424242"}).value
    with pytest.raises(ValidationError) as caught:
        MODELS[kind].model_validate(raw)

    for finding in translate(caught.value, shape_of(MODELS[kind]), raw):
        assert "424242" not in str(finding.problem(()).as_json())


@given(anything)
def test_no_jargon(raw: Any) -> None:
    """Whatever the mistake, nobody is told about inputs, instances or types of Python."""
    value = fill(raw, {}).value
    if not isinstance(value, dict):
        return
    for model in MODELS.values():
        try:
            model.model_validate(value)
        except ValidationError as error:
            for line in lines(translate(error, shape_of(model), value)):
                assert not re.search(
                    r"\b(?:[Ii]nput|pydantic|NoneType|str|dict|instance|Field required)\b", line
                )
