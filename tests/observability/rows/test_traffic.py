"""Rows say what they are."""

from observability.models import CallerRow, TrafficRow


def test_texts() -> None:
    assert str(TrafficRow(scope="route", name="orders", at=60)) == "route orders at 60"
    assert str(CallerRow(consumer="ann", route="orders", at=60)) == "ann on orders at 60"
