"""Statuses to statuses."""

from routing.document.routes import RouteSpec
from routing.shapes.statusmap import status_map_note, status_map_of


def test_what_stays_is_left_out() -> None:
    """Keys may be texts, as JSON has them."""
    spec = RouteSpec.model_validate({"name": "r", "service": "s", "status_map": {"404": 204, 200: 200}})
    assert status_map_of(spec) == {404: 204}
    [note] = status_map_note({404: 204}, "route")
    assert note.details == {"404": 204}
    assert list(status_map_note({}, "route")) == []
