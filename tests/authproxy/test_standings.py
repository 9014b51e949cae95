"""A target for programs."""

import pytest

from authproxy.standings import as_json, readmission_as_json
from routing.readmitting import readmit, standings
from tests.support.standings import A, B, checked, ejected, shop

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_targets_as_json() -> None:
    """How it is, since when, until when, and why."""
    shop()
    checked(A)
    ejected(A)
    ejected(A, "w2")
    checked(B, True, why="")
    out, well = (as_json(row) for row in standings())
    why = "5 requests in a row failed, at 2 workers; its checks: status 500"
    assert (out["url"], out["state"], out["why"], out["ejected_at_workers"]) == (A, "ejected", why, 2)
    assert None not in (out["since"], out["until"], out["checked_at"])
    assert (well["state"], well["why"], well["until"], well["ejected_at_workers"]) == (
        "healthy",
        None,
        None,
        0,
    )
    done = readmission_as_json(readmit("shop", A, by="anna"))
    assert {**done, "at": ""} == {"service": "shop", "url": A, "by": "anna", "reason": None, "at": ""}
    assert [as_json(row)["state"] for row in standings()] == ["unchecked", "healthy"]
