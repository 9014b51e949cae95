"""Whole documents: everything that is wrong, at once, each at its place."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.problems import IDS
from routing.validation import MAX_PROBLEMS, Checked, check_document, check_route, check_service
from tests.support.documents import ROUTE, SERVICE, anything, document, documents, lines

IDP = {"issuer": "i", "audience": "a", "jwks_url": "https://id.test/jwks", "cookie": "token"}


def problems(raw: object, env: dict[str, str] | None = None, **options: Any) -> list[str]:
    return lines(check_document(raw, env=env or {}, **options).problems)


def test_small_document() -> None:
    """A service and a route to it are a configuration."""
    checked = check_document(document(ROUTE), env={})

    assert (checked.problems, checked.warnings) == ((), ())
    assert checked.spec is not None
    assert [route.service for route in checked.spec.routes] == ["orders"]
    assert checked.spec.services[0].targets[0].url == "http://127.0.0.1:8001"


def test_empty_document() -> None:
    """Nothing is a configuration, too."""
    for empty in ({}, {"version": 1}, {"services": None, "routes": [], "defaults": {}}):
        assert check_document(empty, env={}).spec is not None


@pytest.mark.parametrize("raw", [None, 5, "text", [], True])
def test_what_is_no_document(raw: object) -> None:
    """A list or a text is refused as a whole."""
    [problem] = check_document(raw, env={}).problems

    assert (problem.id, problem.path) == ("gateway.E001", "")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            document({"service": "ordrs"}),
            'E011 routes[0].service: no service named "ordrs" (did you mean "orders"?)',
        ),
        ({"rutes": []}, 'E002 rutes: unknown key (did you mean "routes"?)'),
        ({"version": 2}, "E034 version: this gateway reads version 1, not 2"),
        ({"version": True}, "E034 version: this gateway reads version 1, not true"),
        ({"routes": {"a": {}}}, "E004 routes: must be a list of entries, each with its name, not a mapping"),
        ({"services": "x"}, 'E004 services: must be a list of entries, each with its name, not "x"'),
        ({"services": ["x"]}, 'E004 services[0]: must be a mapping (key: value), not "x"'),
        ({"defaults": [1]}, "E004 defaults: must be a mapping (key: value), not a list"),
        (
            document(services=[SERVICE, SERVICE]),
            'E010 services[1].name: "orders" is the name of services[0] already',
        ),
        (
            document({"auth": {"level": "public", "scopes": ["read"]}}),
            "E022 routes[0].auth.scopes: a public route asks nobody for them",
        ),
        (
            {"identity_providers": [{**IDP, "name": "a"}, {**IDP, "name": "b"}]},
            'E032 identity_providers[1].cookie: "token" is there twice',
        ),
        (document({"auth": {"level": "usr"}}), 'E005 routes[0].auth.level: "usr" is not one of'),
        (
            document({"respond": {"status": 199}}),
            "E006 routes[0].respond.status: must be at least 200, not 199",
        ),
    ],
)
def test_one_problem(raw: dict[str, Any], expected: str) -> None:
    """One mistake, one problem."""
    [found] = problems(raw)

    assert found.startswith(expected)


def test_everything_at_once() -> None:
    """Mistakes of all kinds in all sections, in the order of the document."""
    raw = document(
        {"name": "a", "match": {"path": "/a//b"}},
        {"name": "a", "service": "x", "timeout": "5"},
        services=[{"name": "orders", "protocol": "https", "targets": [{"url": "http://h"}]}],
        defaults={"zzz": 1, "timeout": 5},
        quotas=[{"name": "q"}],
    )

    assert [line.split(":")[0] for line in problems(raw)] == [
        "E007 defaults.timeout",
        "E002 defaults.zzz",
        "E021 services[0].targets[0].url",
        "E013 routes[0].match.path",
        "E007 routes[1].timeout",
        "E011 routes[1].service",
        "E010 routes[1].name",
        "E003 quotas[0].limit",
        "E003 quotas[0].per",
    ]


def test_mistakes_of_the_defaults_are_reported_once() -> None:
    """Ten routes do not repeat what is wrong in one place."""
    raw = document(*({} for _ in range(10)), defaults={"rewrite": {"host": "A", "strip_prefix": True}})

    assert [line.split(":")[0] for line in problems(raw)] == [
        "E016 defaults.rewrite.host",
        "E036 defaults.rewrite.strip_prefix",
    ]


def test_defaults_are_in_force() -> None:
    """A route's key replaces the default's whole; an absent auth is the default's."""
    raw = document({"auth": ..., "match": {"path": "/a"}}, {"service": "orders", "timeout": "1s"})
    raw["defaults"] = {"auth": {"level": "public"}, "timeout": "5s", "match": {"hosts": ["h"]}}

    checked = check_document(raw, env={})

    assert checked.problems == ()
    assert checked.spec is not None
    assert [route.timeout for route in checked.spec.routes] == [5.0, 1.0]
    assert [route.match.hosts for route in checked.spec.routes] == [(), ("h",)]
    assert checked.spec.defaults.timeout == 5.0


def test_environment_is_filled_in() -> None:
    """References become values before anything is judged."""
    raw = document({"timeout": "${WAIT:-3s}", "match": {"path": "/${TEAM}"}})

    checked = check_document(raw, env={"TEAM": "a"})

    assert checked.spec is not None
    assert checked.spec.routes[0].timeout == 3.0
    assert (checked.spec.routes[0].match.path, type(checked.spec.routes[0].match.path)) == ("/a", str)
    assert problems(raw, {"TEAM": "a//b"}) == [
        'E013 routes[0].match.path: "/${TEAM}" never arrives like this; say "/a/b"'
    ]


def test_unset_variable_is_a_problem_where_it_must_be_set() -> None:
    """Only that it is not set is said, not what the unfilled text would do."""
    raw = document({"timeout": "${WAIT}"})

    assert problems(raw) == [
        "E027 routes[0].timeout: the environment variable WAIT is not set; "
        "${WAIT:-…} gives a default, $${ is a literal ${"
    ]


def test_unset_variable_is_a_warning_elsewhere() -> None:
    """What stands there is not judged; all else is."""
    raw = document({"timeout": "${WAIT}", "service": "${WHICH}", "rewrite": {"host": "A"}})

    checked = check_document(raw, env={}, require_env=False)

    assert [line.split(":")[0] for line in lines(checked.problems)] == ["E016 routes[0].rewrite.host"]
    assert [warning.id for warning in checked.warnings] == ["gateway.W001", "gateway.W001"]


def test_without_a_value_there_is_no_specification() -> None:
    """A document that cannot be filled in may still be right."""
    checked = check_document(document({"timeout": "${WAIT}"}), env={}, require_env=False)

    assert (checked.spec, checked.problems) == (None, ())


def test_tokens_that_no_service_verifies() -> None:
    """A warning of the defaults, and of a route that says so itself, where the algorithm is known to be symmetric."""
    token = {"forward_identity": "token"}
    own = document(token)
    inherited = {**document({}), "defaults": token}
    for raw, path in ((own, "routes[0].forward_identity"), (inherited, "defaults.forward_identity")):
        [warning] = check_document(raw, env={}, jwt_algorithm="HS256").warnings

        assert (warning.id, warning.path) == ("gateway.W010", path)
        assert check_document(raw, env={}, jwt_algorithm="ES256").warnings == ()
        assert check_document(raw, env={}).warnings == ()


def test_warnings_do_not_refuse() -> None:
    """A route under a path of the gateway, and a service without targets."""
    checked = check_document(
        document({"match": {"path": "/v2/ws", "path_type": "exact"}}), env={}, api_prefix="/v2"
    )
    assert [warning.id for warning in checked.warnings] == ["gateway.W002"]
    assert checked.spec is not None

    checked = check_document(document(services=[{"name": "orders"}]), env={})
    assert [warning.path for warning in checked.warnings] == ["services[0].targets"]
    assert checked.spec is not None


def test_number_of_problems_is_bounded() -> None:
    """A hopeless document is not read to its end."""
    found = check_document({"routes": [{"name": n} for n in range(10_000)]}, env={}).problems

    assert MAX_PROBLEMS <= len(found) <= MAX_PROBLEMS + 1
    assert found[-1].id == "gateway.E099"


def test_wrong_names_among_many_stay_quick() -> None:
    """Suggestions for hundreds of wrong names among thousands take no minutes."""
    services = [{**SERVICE, "name": f"service-{n}"} for n in range(3000)]
    began = time.process_time()
    found = check_document(
        document(*({"service": f"servce-{n}"} for n in range(200)), services=services), env={}
    )

    assert len(found.problems) == 200
    assert time.process_time() - began < 5


def test_nesting_without_end() -> None:
    """A value nested deeper than any document is refused, not followed."""
    value: Any = "x"
    for _ in range(5000):
        value = {"match": value}

    assert problems({"routes": [value]})[0].startswith("E033 routes[0].match")


def test_secrets_do_not_get_out() -> None:
    """No problem shows a key, a credential or what the environment holds."""
    raw = document(
        {"timeout": "${PASSWORD}", "request_headers": {"set": {"Authorization": "${PASSWORD}\n"}}},
        services=[
            {
                "name": "orders",
                "targets": [{"url": "http://me:hunter2@h"}, {"url": "http://${PASSWORD} x"}],
                "tls": {"key": "hunter2", "cert": "${PASSWORD}\n", "ca": 5},
            },
            {"name": "${PASSWORD} x", "tls": {"kee": "hunter2", "key": ["hunter2"]}},
        ],
        identity_providers=[{"name": "i", "secret": "hunter2"}, {"name": "j", "secrt": "hunter2"}],
    )
    checked = check_document(raw, env={"PASSWORD": "hunter2"})

    assert len(checked.problems) > 10
    assert "hunter2" not in json.dumps(
        [problem.as_json() for problem in (*checked.problems, *checked.warnings)]
    )


def test_service_of_a_form() -> None:
    """Paths are relative to the entry."""
    raw = {"name": "s", "targets": [{"url": "nonsense"}], "timeout": {"read": "${WAIT}"}}

    assert [problem.path for problem in check_service(raw)] == ["targets[0].url"]
    assert [problem.path for problem in check_service(raw, env={})] == ["timeout.read", "targets[0].url"]
    assert check_service(SERVICE, env={}) == ()
    assert check_service({"name": "s"}) == ()


def test_route_of_a_form() -> None:
    """References are checked against what is known, and the defaults count."""
    raw = {"name": "r", "service": "ordrs", "rewrite": {"regex": {"pattern": "(", "to": ""}}}

    assert [problem.path for problem in check_route(raw, known_services=["orders"])] == [
        "rewrite.regex.pattern",
        "service",
    ]
    prefix = {"rewrite": {"strip_prefix": True}}
    route = {"name": "r", "service": "x"}
    assert [p.path for p in check_route(route, known_services=None, defaults=prefix)] == [
        "rewrite.strip_prefix"
    ]
    assert [
        p.path for p in check_route({**ROUTE, "quotas": ["q"]}, known_services=["orders"], known_quotas=[])
    ] == ["quotas[0]"]


@given(documents | anything, st.booleans())
def test_any_value_is_judged(raw: Any, require_env: bool) -> None:
    """No JSON-like value raises, and every problem is one that a person can read."""
    checked = check_document(raw, env={"X": "/a"}, require_env=require_env)

    assert isinstance(checked, Checked)
    assert (checked.spec is None) or not checked.problems
    for problem in (*checked.problems, *checked.warnings):
        assert problem.id in IDS
        assert problem.message.isprintable()
        json.dumps(problem.as_json())
    check_service(raw)
    check_route(raw, known_services=["a"], env={})


@given(documents)
def test_sections_are_judged_alike_alone_and_together(raw: dict[str, Any]) -> None:
    """A form and a document say the same of a service."""
    services = raw.get("services")
    if not isinstance(services, list) or not services:
        return
    alone = {(p.id, p.message) for p in check_service(services[0], env={})}
    within = check_document({"services": services[:1]}, env={}).problems
    together = {(p.id, p.message) for p in within if p.path.startswith("services[0]")}

    assert alone == together


def test_a_service_alone_is_told_what_grpc_needs() -> None:
    """The form says it at its field, before anything is published."""
    raw = {"name": "a", "targets": [{"url": "http://127.0.0.1:1"}], "descriptors": "AA=="}

    found = check_service(raw, env={})

    assert [(problem.path, problem.message) for problem in found] == [("descriptors", "needs protocol: grpc")]
