"""D: How the live revision's objectives stand, for pages, the command line and the control API."""

from typing import Any

from observability.slo.burning import PAGE, Budget, Burn, Counts, budgets, burning
from observability.slo.counting import counts
from observability.slo.objectives import objectives_of
from routing.discovery import live_snapshot


def standing(now: float, *, route: str | None = None, ask: Counts = counts) -> list[dict[str, Any]]:
    """One entry for each objective, or for those of one route, in the order of the routes. Shares are 0 to 1."""
    snapshot = live_snapshot()
    routes = () if snapshot is None else snapshot.routes.values()
    objectives = objectives_of(each for each in routes if route is None or each.name == route)
    if not objectives:
        return []
    fast: dict[tuple[str, str], list[Burn]] = {}
    for burn in burning(objectives, ask, now):
        fast.setdefault((burn.objective.route, burn.objective.name), []).append(burn)
    return [
        as_json(each, fast.get((each.objective.route, each.objective.name), []))
        for each in budgets(objectives, ask, now)
    ]


def as_json(budget: Budget, burns: list[Burn]) -> dict[str, Any]:
    """`reached` is None without a request; `budget_left` is below 0 when more was bad than is allowed."""
    objective = budget.objective
    return {
        "route": objective.route,
        "objective": objective.name,
        "target": objective.target,
        "under_s": objective.under_s,
        "window_s": objective.window_s,
        "requests": budget.total,
        "bad": budget.bad,
        "allowed": round(budget.allowed, 1),
        "reached": None if budget.reached is None else round(budget.reached, 6),
        "budget_left": round(budget.left, 4),
        "burning": None if not burns else "page" if any(b.rule.severity == PAGE for b in burns) else "ticket",
    }


def in_words(entry: dict[str, Any]) -> str:
    """One objective in a line for people."""
    what = f"{entry['objective']} {entry['target'] * 100:g} %"
    if entry["under_s"] is not None:
        what += f" under {entry['under_s'] * 1000:g} ms"
    days = entry["window_s"] / 86400
    if entry["reached"] is None:
        return f"{what} over {days:g} days: no request yet"
    burning_ = {None: "", "page": "; burning fast", "ticket": "; burning"}[entry["burning"]]
    return (
        f"{what} over {days:g} days: {entry['reached'] * 100:.3f} % reached, "
        f"{entry['budget_left'] * 100:.1f} % of the budget left ({entry['bad']} of {entry['requests']} were bad)"
        f"{burning_}"
    )
