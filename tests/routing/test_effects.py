from typing import Any

from routing.compiler import CompileOptions, compile_snapshot
from routing.effects import header_changes, own_answer, policy_notes, source_of, upstream_request
from routing.explain import explain, request_to
from routing.explanation import Refusal
from routing.paths import NormalPath, normalise
from routing.snapshot import HeaderOps, Snapshot
from routing.standing import Admission
from routing.targets import parse_target

NOBODY = Admission()


def snapshot_with(
    service: dict[str, Any] | None = None, env: dict[str, str] | None = None, **keys: Any
) -> Snapshot:
    route = {"name": "r", "match": {"path": "/a"}, **keys}
    if not {"redirect", "respond"} & keys.keys():
        route["service"] = "s"
    raw = {
        "defaults": {"auth": {"level": "public"}},
        "services": [{"name": "s", "targets": [{"url": "http://h"}], **(service or {})}],
        "routes": [route],
    }
    return compile_snapshot(raw, revision=1, options=CompileOptions(env=env or {}, service_timeout_s=12.0))


def path_of(raw: bytes) -> NormalPath:
    path = normalise(raw)
    assert isinstance(path, NormalPath)
    return path


def notes(
    snapshot: Snapshot,
    raw: bytes = b"/a/b",
    length: int | None = None,
    admission: Admission = NOBODY,
) -> dict[str, tuple[str, str, Any]]:
    found = policy_notes(snapshot, snapshot.routes["r"], path_of(raw), length, admission=admission)
    return {note.name: (note.source, note.outcome, note.details) for note in found}


def test_a_bare_route_has_few_policies() -> None:
    """Only what acts on every request is there."""
    assert notes(snapshot_with()) == {
        "auth": ("defaults", "pass", {"level": "public"}),
        "timeout": ("environment", "applies", {"connect_s": 2.0, "read_s": 30.0, "total_s": 12.0}),
    }


def test_all_policies_in_their_order() -> None:
    """They come in the order in which they act."""
    found = notes(
        snapshot_with(
            limits={"max_body": 3},
            rewrite={"strip_prefix": True, "host": "x"},
            request_headers={"set": {"A": "1"}},
            response_headers={"remove": ["B"]},
            timeout="4s",
            allow_encoded_slashes=True,
        ),
        b"/a/b%2Fc",
        length=3,
    )
    assert list(found) == [
        "allow_encoded_slashes", "auth", "limits", "rewrite", "request_headers", "timeout", "response_headers",
    ]  # fmt: skip
    assert found["rewrite"] == ("route", "applies", {"path": "/a/b%2Fc", "becomes": "/b%2Fc", "host": "x"})
    assert found["limits"] == ("route", "pass", {"max_body": 3, "content_length": 3})
    assert found["timeout"][2]["total_s"] == 4.0
    assert found["timeout"][0] == "route"
    assert found["response_headers"][2] == {"remove": ["b"], "set": {}, "add": {}}


def test_what_is_written_to_the_access_log() -> None:
    """Where the route, or the defaults, say something of it."""
    assert notes(snapshot_with(log={"sample": 0.25}))["log"] == (
        "route",
        "applies",
        {"access": True, "sample": 0.25},
    )
    assert notes(snapshot_with(log={"access": False}))["log"][2] == {"access": False, "sample": None}


def test_what_a_route_promises() -> None:
    """Its own objectives, or those of all routes."""
    assert notes(snapshot_with(slo={"availability": 99.9}))["slo"][:2] == ("route", "applies")
    assert "slo" not in notes(snapshot_with())


def test_refusing_policies() -> None:
    """A policy that would refuse the request says so."""
    found = notes(snapshot_with(limits={"max_body": 3}), b"/a/b%2Fc", length=4)
    assert found["limits"][1] == "refuse"
    assert found["allow_encoded_slashes"] == ("built-in", "refuse", {})


def test_sources_of_a_service() -> None:
    """A timeout and targets may come from the service or from the environment."""
    assert notes(snapshot_with({"timeout": {"total": "7s"}}))["timeout"][0] == "service"
    built_in = compile_snapshot(
        {
            "defaults": {"auth": {"level": "public"}},
            "services": [{"name": "s"}],
            "routes": [{"name": "r", "service": "s"}],
        },
        revision=1,
        options=CompileOptions(),
    )
    assert notes(built_in)["timeout"][0] == "built-in"
    preserving = notes(snapshot_with(rewrite={"preserve_host": True}))["rewrite"][2]
    assert preserving == {"path": "/a/b", "becomes": "/a/b", "preserve_host": True}
    assert list(notes(snapshot_with(respond={}))) == ["auth"]
    overridden = notes(snapshot_with(env={"S_SERVICE_URL": "http://i"}))
    assert overridden["targets"] == ("environment", "applies", {"variable": "S_SERVICE_URL"})
    route = snapshot_with(timeout="1s").routes["r"]
    assert (source_of(route, "timeout"), source_of(route, "auth"), source_of(route, "limits")) == (
        "route",
        "defaults",
        "built-in",
    )


def test_admission() -> None:
    """Who calls, and what the refusal names; what is only tried out lets pass."""
    refused = Admission(Refusal(403, "FORBIDDEN", "No."), {"missing_scopes": ["write"]}, {"consumer": "anna"})
    auth = {"level": "user", "scopes": ["write"]}

    assert notes(snapshot_with(auth=auth), admission=refused)["auth"] == (
        "route",
        "refuse",
        {**auth, "caller": {"consumer": "anna"}, "refused_for": {"missing_scopes": ["write"]}},
    )
    tried = notes(snapshot_with(auth={**auth, "mode": "log"}), admission=refused)["auth"]
    assert (tried[1], tried[2]["would_be_refused_for"]) == ("pass", {"missing_scopes": ["write"]})
    off = notes(snapshot_with(auth={}), admission=Admission(remark="off"))["auth"]
    assert off == ("route", "pass", {"level": "user", "remark": "off"})


def test_what_the_service_learns() -> None:
    """Header fields of the caller, a token for the service, or nothing; credentials where somebody said so."""
    known = Admission(fields={"x-consumer": "anna"})

    assert notes(snapshot_with(), admission=known)["forward_identity"] == (
        "built-in",
        "applies",
        {"as": "headers", "headers": {"x-consumer": "anna"}},
    )
    told = notes(snapshot_with(forward_identity="token", forward_credentials="none"), admission=known)
    assert told["forward_identity"] == ("route", "applies", {"as": "token", "audience": "s"})
    assert told["forward_credentials"] == ("route", "applies", {"forwarded": "none"})
    assert "forward_identity" not in notes(snapshot_with(respond={}), admission=known)


def test_upstream_requests() -> None:
    """Path, query and Host are those that the target would see."""

    def sent(url: str, **keys: Any) -> dict[str, Any]:
        route = snapshot_with(**keys).routes["r"]
        target = parse_target(url)
        return upstream_request(
            route, target, method="GET", path=path_of(b"/a/b"), query=b"q=1", host=b"me:1"
        )

    assert sent("https://h:8443/x")["url"] == "https://h:8443/x/a/b?q=1"
    assert sent("http://[::1]:1")["host"] == "[::1]:1"
    assert sent("http://h", rewrite={"preserve_host": True})["host"] == "me:1"
    assert sent("http://h", rewrite={"host": "v", "path": "/p"})["host"] == "v"
    assert sent("http://h", rewrite={"path": "/p"})["url"] == "http://h/p?q=1"
    socket = sent("unix:///run/a.sock")
    assert (socket["socket"], socket["url"]) == ("/run/a.sock", "http://localhost/a/b?q=1")
    assert sent("http://h", request_headers={"add": {"A": "1"}})["headers"]["add"] == {"a": "1"}


def test_own_answers() -> None:
    """Redirects and responses are shown as the client would get them; a service has none."""

    def answer(**keys: Any) -> Any:
        route = snapshot_with(**keys).routes["r"]
        return own_answer(route, scheme="http", host=b"me", path=path_of(b"/a/b"), query=b"q")

    assert answer(redirect={"scheme": "https"}) == {"status": 301, "location": "https://me/a/b?q"}
    assert answer(respond={"status": 418, "headers": {"X": "1", "content-type": "a/b"}, "body": "t"}) == {
        "status": 418,
        "headers": {"x": "1", "content-type": "a/b"},
        "body": "t",
    }
    assert answer() is None


def test_header_changes() -> None:
    """Header operations read as JSON."""
    ops = HeaderOps(frozenset([b"c", b"b"]), ((b"a", b"1"),), ())
    assert header_changes(ops) == {"remove": ["b", "c"], "set": {"a": "1"}, "add": {}}


def test_a_grpc_route_names_its_method() -> None:
    """And all that its service says of it, under the gateway's name of the service."""
    call = {"service": "a.B", "method": "C"}
    service = {"protocol": "grpc", "breaker": {}}
    snapshot = snapshot_with(service, grpc=call)
    found = notes(snapshot)
    assert found["grpc"] == ("route", "applies", call)
    assert "breaker" in found
    explained = explain(snapshot, request_to("GET", "/a"))
    assert explained.matched is not None
    assert (explained.matched.service, len(explained.targets)) == ("s", 1)
    assert explained.upstream_request is not None
    assert explained.upstream_request["url"] == "http://h/a.B/C"


def test_a_largest_body_that_is_only_watched_refuses_nobody() -> None:
    """`limits` in mode log says what it would judge by."""
    found = notes(snapshot_with(limits={"max_body": "1kb", "mode": "log"}), length=5000)["limits"]

    assert found == ("route", "pass", {"max_body": 1024, "content_length": 5000, "mode": "log"})
