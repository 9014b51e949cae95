"""What a route matches, as a specification."""

from routing.document.matches import MatchSpec, ValueMatchSpec


def test_nothing_matches_anything() -> None:
    """A match without keys has no conditions."""
    match = MatchSpec()

    assert (match.hosts, match.path, match.path_type, match.methods) == ((), None, "prefix", ())
    assert (match.headers, match.query) == ({}, {})


def test_everything_that_the_contract_shows() -> None:
    """Every condition, with a text and a regular expression for values."""
    match = MatchSpec.model_validate(
        {
            "hosts": ["api.example.com", "*.example.com"],
            "path": "/orders/{id}",
            "path_type": "template",
            "methods": ["GET", "POST"],
            "headers": {"x-tenant": "acme", "x-mode": {"regex": "beta.*"}, "x-any": {}},
            "query": {"version": "2"},
        }
    )

    assert match.headers == {
        "x-tenant": ValueMatchSpec(exact="acme"),
        "x-mode": ValueMatchSpec(regex="beta.*"),
        "x-any": ValueMatchSpec(),
    }
    assert match.query == {"version": ValueMatchSpec(exact="2")}
