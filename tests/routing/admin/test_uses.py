"""Which routes and plans name a quota."""

from routing.admin.uses import Use, plans_of, quota_uses


def test_routes_that_name_a_quota() -> None:
    """By its name alone or with a mode; the defaults stand first, and what is no list says nothing."""
    rows = [
        (1, "a", ["free", {"name": "strict", "mode": "log"}]),
        (2, "b", [{"name": "free"}]),
        (3, "c", "x"),
    ]
    assert quota_uses(rows, {"quotas": ["free"]}) == {
        "free": [Use("", None, False), Use("a", 1, False), Use("b", 2, False)],
        "strict": [Use("a", 1, True)],
    }
    assert quota_uses([(1, "a", [{}])], None) == {"": [Use("a", 1, False)]}


def test_plans_that_replace_a_quota() -> None:
    """With what they put in its place."""
    gold = {"name": "free", "limit": 9, "per": "1m"}
    rows = [(1, "gold", [{"name": "other"}, gold]), (2, "odd", {"free": 1}), (3, "odder", ["free"])]
    assert plans_of(rows, "free") == [(1, "gold", gold)]
