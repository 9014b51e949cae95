from itertools import pairwise
from typing import Any

import pytest

from routing.compilation import Compilation
from routing.compiler import CompileOptions
from routing.problems import ConfigurationInvalid
from routing.snapshot import Snapshot

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
    raw = document(services=[service("user-service"), service("other")])
    compilation = run(raw, env={"USER_SERVICE_URL": "http://one:1,http://two:2"})
    user = compilation.services["user-service"]
    assert [target.authority for target in user.targets] == [b"one:1", b"two:2"]
    assert user.overridden_by == "USER_SERVICE_URL"
    assert user.source == raw["services"][0]
    assert compilation.services["other"].overridden_by is None


def test_a_bad_address_from_the_environment_is_refused() -> None:
    """The problem is at the service's targets and names the variable."""
    [problem] = refused(document(), env={"S_SERVICE_URL": "ftp://x"})
    assert problem.startswith("services[0].targets[0].url: ")
    assert "S_SERVICE_URL" in problem


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
    with pytest.raises(ConfigurationInvalid):
        run(document(route("${X}"), route("a")), env={"X": "a"})
