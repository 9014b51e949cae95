"""Findings: problems seen from inside an entry."""

from routing.document.findings import Finding, repeated
from routing.document.interpolation import fill


def test_finding_becomes_a_problem_of_the_document() -> None:
    """The place of the entry is put before the place inside it."""
    problem = Finding("gateway.E011", ("backends", 0, "service"), "no service", "x").problem(("routes", 3))

    assert str(problem) == "routes[3].backends[0].service: no service"
    assert problem.value == "x"


def test_value_is_shown_as_written() -> None:
    """Neither what the environment holds nor a container gets out."""
    filled = fill("${PASSWORD}", {"PASSWORD": "hunter2"}).value

    assert Finding("gateway.E009", (), "m", filled).problem(()).value == "${PASSWORD}"
    assert Finding("gateway.E009", (), "m", ["a"]).problem(()).value is None


def test_warnings_are_known_by_their_id() -> None:
    """W is for warning."""
    assert [Finding(f"gateway.{number}", (), "").is_warning for number in ("E001", "W001")] == [False, True]


def test_texts_that_are_there_twice() -> None:
    """Told at the second one; what is no list of texts is somebody else's to judge."""
    found = list(repeated(["a", "b", "a", 5, 5], ("hosts",)))

    assert [str(finding.problem(())) for finding in found] == ['hosts[2]: "a" is there twice']
    assert list(repeated("aa", ())) == []
