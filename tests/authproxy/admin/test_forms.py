"""The forms of access. What they refuse is tested on the pages that show them."""

import pytest

from authproxy.admin.forms import plan_choices
from routing.drafts import Actor
from routing.publishing import apply_document

pytestmark = pytest.mark.django_db


def test_plans_to_choose_from() -> None:
    """None, the live ones in order, and the one that is chosen though it has gone."""
    assert plan_choices() == [("", "none")]
    apply_document({"version": 1, "plans": [{"name": "silver"}, {"name": "gold"}]}, actor=Actor("test"))
    live = [("", "none"), ("gold", "gold"), ("silver", "silver")]
    assert plan_choices() == plan_choices("gold") == live
    assert plan_choices("tin") == [*live, ("tin", "tin (not in the configuration)")]
