"""The form above the list of requests."""

from observability.admin.requestfilters import RequestFilters


def test_what_is_typed_becomes_filters() -> None:
    """Without the spaces around it; nothing is asked for by an empty form."""
    form = RequestFilters({"route": " orders ", "status": "5xx", "since": "2030-01-01 12:00"})

    assert form.is_valid()
    assert (form.filters.route, form.filters.status, form.filters.since is not None) == (
        "orders",
        "5xx",
        True,
    )
    empty = RequestFilters({})
    assert empty.is_valid()
    assert empty.filters.given == {}


def test_a_status_must_be_one() -> None:
    """Told at its field."""
    assert RequestFilters({"status": "abc"}).errors["status"] == ["Not a status: want 404, or 4xx."]
