import copy
import random
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.compiler import CompileOptions, compile_snapshot, compile_steps
from routing.document.canonical import digest
from routing.problems import ConfigurationInvalid
from routing.snapshot import BuiltinRoute, CompiledRoute, Miss, Snapshot
from routing.validation import check_document

PUBLIC = {"auth": {"level": "public"}}


def document(routes: int = 3, services: int = 2) -> dict[str, Any]:
    return {
        "version": 1,
        "defaults": copy.deepcopy(PUBLIC),
        "services": [{"name": f"s{n}", "targets": [{"url": f"http://h{n}"}]} for n in range(services)],
        "routes": [
            {"name": f"r{n}", "service": f"s{n % services}", "match": {"path": f"/r{n}"}}
            for n in range(routes)
        ],
    }


def compiled(raw: Any, previous: Snapshot | None = None, **options: Any) -> Snapshot:
    return compile_snapshot(raw, revision=7, options=CompileOptions(**options), previous=previous)


def drive(steps: Generator[None, None, Snapshot]) -> Snapshot:
    """Take every step; the result."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            snapshot: Snapshot = done.value
            return snapshot


def found(snapshot: Snapshot, path: str) -> str | None:
    match = snapshot.index.match("GET", b"h", path, (), b"")
    return None if isinstance(match, Miss) else match.name


def test_a_snapshot() -> None:
    """It holds everything by name, its number and digest, and finds routes and endpoints."""
    raw = document()
    snapshot = compiled(raw, api_prefix="/v9")
    assert (snapshot.revision, snapshot.digest) == (7, digest(raw))
    assert sorted(snapshot.services) == ["s0", "s1"]
    assert found(snapshot, "/r1/x") == "r1"
    assert found(snapshot, "/nothing") is None
    assert isinstance(snapshot.index.match("GET", b"h", "/v9/ws", (), b""), BuiltinRoute)


def test_a_known_digest_is_not_computed_again() -> None:
    """Whoever has the digest already may hand it over."""
    steps = compile_steps(document(), revision=1, options=CompileOptions(), digest="known")
    assert drive(steps).digest == "known"


def test_hooks_attach_what_other_layers_need() -> None:
    """Each compiled service and route passes by its hook once, complete but for what the hook gives."""
    snapshot = compiled(
        document(),
        prepare_service=lambda service: ("runtime", service.name, service.runtime),
        prepare_route=lambda route: ("plan", route.name, route.plan),
    )
    assert snapshot.services["s1"].runtime == ("runtime", "s1", None)
    assert snapshot.routes["r2"].plan == ("plan", "r2", None)


def test_what_did_not_change_is_the_same_object() -> None:
    """Only the changed route is made anew; the old snapshot stays as it was."""
    raw = document()
    before = compiled(raw)
    changed = copy.deepcopy(raw)
    changed["routes"][1]["match"]["path"] = "/other"
    after = compiled(changed, before)
    assert after.services["s0"] is before.services["s0"]
    assert after.routes["r0"] is before.routes["r0"]
    assert after.routes["r1"] is not before.routes["r1"]
    assert (found(before, "/r1"), found(after, "/r1"), found(after, "/other")) == ("r1", None, "r1")


def test_a_changed_service_renews_its_routes() -> None:
    """A plan may hold its service's runtime, so routes never outlive the service that they were made for."""
    raw = document()
    before = compiled(raw)
    changed = copy.deepcopy(raw)
    changed["services"][0]["max_connections"] = 3
    after = compiled(changed, before)
    assert after.services["s1"] is before.services["s1"]
    assert [name for name in after.routes if after.routes[name] is before.routes[name]] == ["r1"]


def test_changed_defaults_renew_every_route() -> None:
    """Defaults are part of every route."""
    raw = document()
    before = compiled(raw)
    after = compiled({**raw, "defaults": {**PUBLIC, "timeout": "1s"}}, before)
    assert {route.timeout_s for route in after.routes.values()} == {1.0}


def test_a_route_may_be_switched_off_and_on() -> None:
    """Reuse respects which routes match."""
    raw = document()
    off = copy.deepcopy(raw)
    off["routes"][0]["enabled"] = False
    first = compiled(off)
    again = compiled(off, first)
    assert again.disabled["r0"] is first.disabled["r0"]
    assert found(again, "/r0") is None
    assert found(compiled(raw, again), "/r0") == "r0"


def test_a_removed_service_is_noticed() -> None:
    """A route that did not change is refused when the service that it names is gone."""
    raw = document()
    before = compiled(raw)
    with pytest.raises(ConfigurationInvalid) as refused:
        compiled({**raw, "services": raw["services"][:1]}, before)
    assert [problem.path for problem in refused.value.problems] == ["routes[1].service"]


def test_the_order_of_entries_means_nothing() -> None:
    """Documents that differ in order only compile to snapshots that answer alike."""
    raw = document(routes=40)
    shuffled = copy.deepcopy(raw)
    random.Random(1).shuffle(shuffled["routes"])
    one, other = compiled(raw), compiled(shuffled)
    assert one.digest == other.digest
    assert [found(one, f"/r{n}") for n in range(40)] == [found(other, f"/r{n}") for n in range(40)]


def _mostly(good: list[Any], *odd: Any) -> st.SearchStrategy[Any]:
    """Values that are allowed, and now and then one that is not."""
    return st.sampled_from(good * 12 + list(odd))


_PATHS = st.one_of(
    _mostly(
        [
            {"path": "/"},
            {"path": "/a/"},
            {"path": "/caf\u00e9//x/../%41"},
            {"path": "${P:-/p}", "path_type": "exact"},
            {"path": "/a/{id}", "path_type": "template"},
            {"path": "/a/.*", "path_type": "regex"},
            {"path": "^/a(b|c)$", "path_type": "regex"},
        ],
        {},
        {"path": "/a?b"},
        {"path": "a"},
        {"path": "/%zz", "path_type": "exact"},
        {"path": "/(", "path_type": "regex"},
        {"path": "/{x}/{x}", "path_type": "template"},
    )
)
_CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "hosts": st.lists(_mostly(["a.b", "*.b", "[::1]"], "A.b", "x:1"), max_size=2, unique=True),
        "methods": st.lists(_mostly(["GET", "POST"], "get"), max_size=2, unique=True),
        "headers": st.dictionaries(
            st.sampled_from(["x", "Y-Z"]), _mostly(["1", {"regex": "[a-z]+"}], {"regex": "("}), max_size=2
        ),
        "query": st.dictionaries(
            st.sampled_from(["q", "\u00e9"]), _mostly(["1", {"regex": "."}, {}], 1), max_size=2
        ),
    },
)
_MATCHES = st.builds(lambda path, conditions: {**path, **conditions}, _PATHS, _CONDITIONS)
_REWRITES = _mostly(
    [
        {"path": "/p"},
        {"path": "/p?a#f", "host": "h"},
        {"regex": {"pattern": "^/(.*)", "to": "/x/\\1"}},
        {"regex": {"pattern": "(?P<n>a)", "to": "\\g<n>%"}, "preserve_host": True},
        {"host": "[::1]:2"},
        {"strip_prefix": False},
    ],
    {"strip_prefix": True},
    {"prefix": "/n"},
    {"prefix": "/%zz"},
    {"path": "/%00"},
    {"regex": {"pattern": "a", "to": "\\2"}},
    {"host": "*.x"},
)
_DESTINATIONS = _mostly(
    [
        {"service": "s"},
        {"redirect": {"scheme": "https"}},
        {"redirect": {"host": "[::1]", "port": 443, "path": "/x?y#z", "status": 308}},
        {"redirect": {"query": ""}},
        {"respond": {}},
        {"respond": {"status": 204, "headers": {"X": "1"}}},
        {"respond": {"body": "\u00e9"}},
    ],
    {},
    {"service": "nobody"},
    {"redirect": {"path": {}}},
    {"redirect": {"path": {"prefix": "/%"}}},
    {"redirect": {"scheme": "ftp"}},
    {"respond": {"status": 99}},
)
_ROUTES = st.builds(
    lambda keys, destination: {**keys, **destination},
    st.fixed_dictionaries(
        {"match": _MATCHES},
        optional={
            "priority": st.sampled_from([0, 5, -1]),
            "enabled": st.booleans(),
            "rewrite": _REWRITES,
            "limits": _mostly([{"max_body": "1KB"}], {"max_body": -1}),
            "timeout": _mostly(["1s"], "1"),
            "request_headers": _mostly([{"set": {"X-A": "${V:-1}"}}], {"remove": ["a b"]}),
            "response_headers": _mostly([{"add": {"X-A": "1"}}], {"add": {"X": "\u00e9"}}),
            "allow_encoded_slashes": st.booleans(),
        },
    ),
    _DESTINATIONS,
)
_SERVICES = _mostly(
    [
        {"targets": [{"url": "http://h"}, {"url": "http://[::1]:1/b/"}]},
        {"targets": [{"url": "https://h:1"}], "protocol": "https"},
        {"targets": [{"url": "unix:///x%20y.sock"}]},
        {},
    ],
    {"targets": [{"url": "http://h/%zz"}]},
    {"targets": [{"url": "http://h"}], "protocol": "https"},
)


@st.composite
def _documents(draw: st.DrawFn) -> dict[str, Any]:
    routes = [{"name": f"r{n}", **draw(_ROUTES)} for n in range(draw(st.integers(0, 3)))]
    return {"defaults": PUBLIC, "services": [{"name": "s", **draw(_SERVICES)}], "routes": routes}


@given(_documents())
def test_a_document_compiles_exactly_when_it_is_valid(raw: dict[str, Any]) -> None:
    """Checking and compiling agree on every document, and report the same problems."""
    checked = check_document(raw, env={})
    if checked.problems:
        with pytest.raises(ConfigurationInvalid) as refused:
            compiled(raw)
        assert refused.value.problems == checked.problems
        return
    snapshot = compiled(raw)
    assert len(snapshot.routes) + len(snapshot.disabled) == len(raw["routes"])
    for route in snapshot.routes.values():
        assert isinstance(route, CompiledRoute)


@given(_documents(), _documents())
def test_compiling_anew_and_from_before_agree(old: dict[str, Any], new: dict[str, Any]) -> None:
    """What is reused never differs from what would have been made."""
    try:
        before, fresh = compiled(old), compiled(new)
    except ConfigurationInvalid:
        return
    reused = compiled(new, before)
    assert (reused.services, reused.routes, reused.disabled) == (fresh.services, fresh.routes, fresh.disabled)
