from itertools import pairwise
from typing import Any

import pytest

from routing.compilation import Compilation, _service_names
from routing.compiler import CompileOptions, compile_snapshot
from routing.problems import ConfigurationInvalid, Problem
from routing.snapshot import Snapshot
from routing.validation import Checked, check_document

PUBLIC = {"auth": {"level": "public"}}


def service(name: str, url: str = "http://127.0.0.1:1", **keys: Any) -> dict[str, Any]:
    return {"name": name, "targets": [{"url": url}], **keys}


def route(name: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, "service": "s", "match": {"path": f"/{name}"}, **keys}


def document(*routes: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {"version": 1, "defaults": PUBLIC, "services": [service("s")], "routes": list(routes), **sections}


def run(raw: Any, previous: Snapshot | None = None, **options: Any) -> Compilation:
    compilation = Compilation(raw, CompileOptions(**options), previous)
    for _ in compilation.run():
        pass
    return compilation


def refused(raw: Any, **options: Any) -> list[str]:
    with pytest.raises(ConfigurationInvalid) as caught:
        run(raw, **options)
    return [str(problem) for problem in caught.value.problems]


def test_entries_are_compiled_in_small_steps() -> None:
    """A large document takes many steps, none of which holds many entries."""
    raw = document(*(route(f"r{number}") for number in range(300)))
    compilation = Compilation(raw, CompileOptions(), None)
    sizes = [len(compilation.routes) for _ in compilation.run()]
    assert len(compilation.routes) == 300
    assert max(after - before for before, after in pairwise(sizes)) <= 50


def test_roles_are_compiled_in_small_steps() -> None:
    """Publishing very many does not hold up requests; a name that is there twice is found across steps."""
    roles = [{"name": f"r{number}", "scopes": ["read"]} for number in range(300)]
    compilation = Compilation(document(roles=roles), CompileOptions(), None)
    assert sum(1 for _ in compilation.run()) >= 300 / 50
    assert len(compilation.access.roles) == 300
    assert refused(document(roles=[*roles, roles[0]])) == [
        'roles[300].name: "r0" is the name of roles[0] already'
    ]


def test_disabled_routes_are_kept_apart() -> None:
    """They are compiled, so that they can be explained, but not among those that match."""
    compilation = run(document(route("on"), route("off", enabled=False)))
    assert list(compilation.routes) == ["on"]
    assert list(compilation.disabled) == ["off"]


def test_defaults_are_filled_in_whole() -> None:
    """A route's key replaces the default's, and the route remembers which keys it did not write itself."""
    defaults = {**PUBLIC, "timeout": "9s", "limits": {"max_body": 5}}
    raw = document(route("a"), route("b", timeout="1s"), defaults=defaults)
    routes = run(raw).routes
    assert (routes["a"].timeout_s, routes["a"].max_body) == (9.0, 5)
    assert (routes["b"].timeout_s, routes["b"].max_body) == (1.0, 5)
    assert routes["a"].from_defaults == {"auth", "timeout", "limits"}
    assert routes["b"].from_defaults == {"auth", "limits"}


def test_the_environment_is_filled_in() -> None:
    """Placeholders are filled in for compiling and stay in the source; so may names."""
    raw = document(
        route("a", service="${WHICH}", match={"path": "${BASE:-/b}/x"}),
        services=[service("s", "http://${HOST}:1"), service("t")],
    )
    compilation = run(raw, env={"WHICH": "t", "HOST": "h"})
    assert compilation.services["s"].targets[0].host == "h"
    assert compilation.services["s"].source == raw["services"][0]
    assert compilation.routes["a"].pattern.text == "/b/x"


def test_an_address_from_the_environment_replaces_the_targets() -> None:
    """`<NAME>_SERVICE_URL` wins over the document; the source stays as written."""
    raw = document(services=[service("${WHO}-service"), service("other")])
    compilation = run(raw, env={"USER_SERVICE_URL": "http://one:1,http://two:2", "WHO": "user"})
    user = compilation.services["user-service"]
    assert [target.authority for target in user.targets] == [b"one:1", b"two:2"]
    assert user.overridden_by == "USER_SERVICE_URL"
    assert user.source == raw["services"][0]
    assert compilation.services["other"].overridden_by is None


def test_a_bad_address_from_the_environment_is_refused() -> None:
    """The problem is at the service's targets and names the variable."""
    [problem] = refused(document(), env={"S_SERVICE_URL": "ftp://x"})
    assert problem.startswith("services[0].targets[0].url: ")
    assert problem.endswith("(from S_SERVICE_URL)")
    raw = document(route("a", timeout="soon"), services=[service("s"), service("t", "ftp://y")])
    messages = refused(raw, env={"S_SERVICE_URL": "http://x"})
    assert len(messages) == 2
    assert not any("S_SERVICE_URL" in message for message in messages)


@pytest.mark.parametrize(
    ("raw", "places"),
    [
        (None, [""]),
        ([], [""]),
        ({"services": {}}, ["services"]),
        ({"routes": ["x"]}, ["routes[0]"]),
        ({"defaults": [1]}, ["defaults"]),
        ({"services": [{"targets": []}]}, ["services[0].name"]),
        ({"wrong": 1}, ["wrong"]),
        (document(route("a"), route("b", service="nobody")), ["routes[1].service"]),
        (document(route("a"), route("a")), ["routes[1].name"]),
        (document(services=[service("s"), service("s")]), ["services[1].name"]),
        (document(route("a", service="${X}")), ["routes[0].service"]),
    ],
)
def test_every_problem_has_its_place_in_the_whole_document(raw: Any, places: list[str]) -> None:
    """Whatever is wrong is reported as the check of the whole document reports it."""
    with pytest.raises(ConfigurationInvalid) as caught:
        run(raw)
    assert [problem.path for problem in caught.value.problems] == places


def test_all_problems_are_reported_at_once() -> None:
    """A problem in an early entry does not hide one in a late entry."""
    routes = [route(f"r{number}") for number in range(100)]
    routes[3]["timeout"] = "soon"
    routes[97]["service"] = "nobody"
    problems = refused(document(*routes))
    assert [problem.partition(":")[0] for problem in problems] == ["routes[3].timeout", "routes[97].service"]


def test_names_that_the_environment_makes_equal() -> None:
    """Two names that differ only as written never overwrite each other silently."""
    routes = [route("${X}"), *(route(f"r{number}") for number in range(60)), route("a")]
    assert len(refused(document(*routes), env={"X": "a"})) == 1
    services = [service("${X}"), *(service(f"s{number}") for number in range(60)), service("a")]
    assert len(refused(document(services=services), env={"X": "a"})) == 1


def snapshot(raw: dict[str, Any]) -> Snapshot:
    return compile_snapshot(raw, revision=1, options=CompileOptions())


def test_equal_entries_are_reused() -> None:
    """Services and routes that are as they were are kept, whatever else changed around them."""
    answer = {"name": "c", "respond": {}}
    before = snapshot(document(route("a"), route("b", enabled=False), answer))
    after = run(document(answer, route("a"), route("b", enabled=False), route("new")), before)
    assert after.services["s"] is before.services["s"]
    assert after.routes["a"] is before.routes["a"]
    assert after.routes["c"] is before.routes["c"]
    assert after.disabled["b"] is before.disabled["b"]
    assert list(after.routes) == ["c", "a", "new"]
    again = run(document(route("a")), snapshot(document(route("a"))))
    assert list(again.routes) == ["a"]


def test_other_defaults_or_services_end_the_reuse() -> None:
    """What a route was compiled with is part of it."""
    raw = document(route("a"))
    before = snapshot(raw)
    assert run({**raw, "defaults": {**PUBLIC, "priority": 1}}, before).routes["a"] is not before.routes["a"]
    assert run({**raw, "services": [service("s", "http://x")]}, before).routes["a"] is not before.routes["a"]
    overridden = run(raw, before, env={"S_SERVICE_URL": "http://x"})
    assert overridden.services["s"] is not before.services["s"]
    assert overridden.routes["a"] is not before.routes["a"]


def test_when_only_the_whole_document_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small check that fails for what it lacks is settled by the check of the whole document."""
    raw = document(*(route(f"r{number}") for number in range(50)))

    def check(document: Any, **options: Any) -> Any:
        if 0 < len(document.get("routes", ())) < 50:
            return Checked(None, (Problem("gateway.E011", "", "too small"),), ())
        return check_document(document, **options)

    monkeypatch.setattr("routing.compilation.check_document", check)
    assert len(run(raw).routes) == 50


def test_what_is_known_to_be_wrong_is_always_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the check of the whole document should miss it."""
    whole = check_document({}, env={})
    monkeypatch.setattr("routing.compilation.check_document", lambda *_, **__: whole)
    assert refused(None) == ["the document cannot be read"]


def test_services_that_are_named_deep_inside_are_known() -> None:
    """A check of some routes knows every service that they name, wherever."""
    parts = {"x": {"service": "one"}, "y": {"service": "two"}}
    entry = {"service": "three", "backends": [{"service": "four"}, 5], "aggregate": {"parts": parts}}
    assert sorted(_service_names(entry)) == ["four", "one", "three", "two"]
    assert list(_service_names({"service": 5})) == []
