"""Which of a route's services a request would get, for explain."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from routing.explain import explain, request_to
from routing.explanation import Explanation, PolicyNote
from routing.knowledge import NOTHING, Knowledge, KnownCanary
from routing.snapshot import CompiledRoute, Snapshot
from routing.standing import Admission
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of

SERVICES = {"a": "http://127.0.0.1:1", "b": "http://127.0.0.1:2"}
BACKENDS = [{"service": "a", "weight": 9}, {"service": "b", "weight": 1}]


def explained(
    *headers: tuple[str, str], caller: str = "", address: str = "", known: Knowledge = NOTHING, **keys: Any
) -> tuple[Explanation, PolicyNote]:
    snapshot = snapshot_of(document(route(backends=BACKENDS, **keys), services=SERVICES))

    def judge(_route: CompiledRoute, _snapshot: Snapshot) -> Admission:
        return Admission(caller={"consumer": caller} if caller else None)

    found = explain(snapshot, request_to("GET", "/x", headers, address=address), judge=judge, known=known)
    [note] = [note for note in found.policies if note.name == "backends"]
    return found, note


def urls(targets: Sequence[Any]) -> list[str]:
    return [target["url"] for target in targets]


def test_by_chance_it_is_the_one_that_gets_most() -> None:
    """With its targets, and how often that is."""
    found, note = explained()

    assert found.matched is not None
    assert found.matched.service == "a"
    assert urls(found.targets) == [SERVICES["a"]]
    assert found.upstream_request is not None
    assert found.upstream_request["url"].startswith(SERVICES["a"])
    assert note.details["percent"] == {"a": 90.0, "b": 10.0}
    assert note.details["because"] == "by chance, in 90 % of the cases"


def test_a_request_that_names_its_service() -> None:
    """Gets it."""
    found, note = explained(("X-Variant", "b"), force={"header": "x-variant"})

    assert urls(found.targets) == [SERVICES["b"]]
    assert (note.details["chosen"], note.details["because"]) == ("b", "the request names it")
    assert note.details["forced_by"] == "header x-variant"


def test_a_caller_stays_where_its_key_leads() -> None:
    """An address stands for a caller who is not known; without both it is chance."""
    chosen = {explained(caller=f"c{number}", sticky="consumer")[1].details["chosen"] for number in range(40)}

    assert chosen == {"a", "b"}
    assert explained(caller="ada", sticky="consumer")[1].details["because"] == "its caller stays with it"
    assert (
        explained(address="192.0.2.1", sticky="consumer")[1].details["because"] == "its caller stays with it"
    )
    assert "by chance" in explained(sticky="consumer")[1].details["because"]


def test_the_text_names_the_choice() -> None:
    """For people."""
    found, _ = explained(sticky={"cookie": "v"})

    assert any(
        line.startswith("policy backends (route): applies chosen a, because by chance")
        for line in found.lines()
    )


def test_a_canary_is_told_of() -> None:
    """Its share is that of now, whatever its weight."""
    canary = KnownCanary("running", 2, 3, 75.0, 0.0, 60.0, "system", "the step went well")
    _, note = explained(known=replace(NOTHING, canary=lambda _route: canary), canary={})

    assert (note.details["chosen"], note.details["percent"]) == ("b", {"a": 25.0, "b": 75.0})
    assert note.details["canary"] == {
        "state": "running",
        "step": "2 of 3",
        "since": "1970-01-01T00:00:00Z",
        "next_at": "1970-01-01T00:01:00Z",
        "by": "system",
        "reason": "the step went well",
    }


def test_a_canary_of_which_nothing_is_known() -> None:
    """Gets nothing."""
    _, note = explained(canary={})

    assert note.details["percent"] == {"a": 100.0, "b": 0.0}
    assert "nothing is known" in note.details["canary"]
