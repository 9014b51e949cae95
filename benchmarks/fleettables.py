"""P: Figures of fleets as Markdown."""

import math
from collections.abc import Sequence

from benchmarks.admission import admission_verdict
from benchmarks.fleetfigures import (
    BUSY,
    LIVE_GOAL_S,
    PROJECTED,
    Bearing,
    Measured,
    NodeFigures,
    Size,
    in_order,
    middle_ms,
    project,
)
from benchmarks.report import number, table


def rendered(measured: Measured, *, network: str, load: float) -> str:
    """The measured table, what was measured alone, and the projection."""
    parts = (
        _method(network),
        fleets_table(measured.fleets),
        "\n".join(fleet_verdict(fleet, load=load) for fleet in measured.fleets),
        alone(measured),
        projection(project(measured, PROJECTED), PROJECTED),
    )
    return "\n\n".join(parts)


def _method(network: str) -> str:
    return (
        f"Nodes of one worker each, over {network}; one PostgreSQL and one Redis for all. All nodes share one core; "
        "load, upstream and stores have the other. CPU is that of all nodes' process trees, divided by the requests "
        "that reached the upstream. Statements are counted on the way to PostgreSQL."
    )


def fleets_table(fleets: Sequence[NodeFigures]) -> str:
    """A row for each figure, a column for each number of nodes."""
    rows = [
        ("CPU µs/request, bare route", *(number(each.bare_us) for each in fleets)),
        ("CPU µs/request, one quota counted in Redis", *(number(each.quota_us) for each in fleets)),
        ("admitted beside exact", *(f"{each.admission.deviation:+.2%}" for each in fleets)),
        ("live on every node, median ms", *(number(middle_ms(each.live_s), 0) for each in fleets)),
        ("live on every node, max ms", *(number(max(each.live_s) * 1000, 0) for each in fleets)),
        ("Redis calls/request", *(number(each.redis_calls, 3) for each in fleets)),
        (
            "Redis commands/request, with those of scripts",
            *(number(each.redis_commands, 2) for each in fleets),
        ),
        ("Redis bytes/request, both ways", *(number(each.redis_bytes, 0) for each in fleets)),
        ("PostgreSQL statements/s of an idle node", *(number(each.idle_statements_s) for each in fleets)),
        ("PostgreSQL statements/s of a busy node", *(number(each.loaded_statements_s) for each in fleets)),
        ("PostgreSQL connections of a node", *(number(each.connections) for each in fleets)),
        ("MB resident of a node", *(number(each.memory_mb) for each in fleets)),
        ("errors", *(str(each.errors) for each in fleets)),
    ]
    return table(("nodes", *(str(each.nodes) for each in fleets)), rows)


def fleet_verdict(fleet: NodeFigures, *, load: float) -> str:
    """Two lines: how exact the limit is, and how soon a change is live."""
    nodes = f"{fleet.nodes} node{'s' if fleet.nodes > 1 else ''}"
    without = f"; {fleet.alone:,} were decided without Redis, which answered too late" if fleet.alone else ""
    word = "ok" if max(fleet.live_s) <= LIVE_GOAL_S else "MISSED"
    return (
        f"{admission_verdict(fleet.admission, load=load)}{without} ({nodes})\n"
        f"- {word}: live on {nodes} at most {max(fleet.live_s):.3f} s after the revision (goal: {LIVE_GOAL_S:g} s)"
    )


def alone(measured: Measured) -> str:
    redis, large = measured.redis, measured.large
    return "\n".join(
        (
            f"- Redis alone: {redis.calls_s:,.0f} calls/s of one decision, {redis.decisions_s:,.0f} decisions/s of 16 "
            f"in a call, at {redis.busy:.0%} of a core; a call takes {redis.call_us:.1f} µs, and "
            f"{redis.decision_us:.2f} µs for each decision in it; a bucket takes {redis.bucket_bytes:.0f} bytes",
            f"- PostgreSQL: {measured.statements_s:,.0f} statements/s for one connection, at most "
            f"{measured.most_connections} connections",
            f"- one idle node with `--role data`: {measured.data.connections:.0f} connections, "
            f"{measured.data.statements_s:.1f} statements/s",
            f"- {large.routes:,} routes, one node: all new: `gateway apply` {large.apply_s:.1f} s, live "
            f"{large.all_live_s:.2f} s after the revision; one changed: live after {large.change_live_s:.2f} s; "
            f"{large.node_bytes / 1e6:.1f} MB from PostgreSQL for each node and revision; "
            f"{large.added_mb:.0f} MB more resident, {large.memory_mb:.0f} in all",
        )
    )


def projection(bearings: Sequence[Bearing], size: Size) -> str:
    """A row for each; what breaks first, with its figure."""
    rows = [
        (
            each.name,
            _figure(each.needed, each.unit),
            "–" if math.isnan(each.bears) else _figure(each.bears, each.unit),
            "–" if math.isnan(each.share) else f"{each.share:.0%}",
            "–" if math.isnan(each.share) else _full_at(each, size),
        )
        for each in bearings
    ]
    first = in_order(bearings)[0]
    word = "breaks first" if first.share > 1 else "comes nearest to its end"
    columns = ("projected", "needed", "bears", "share", "full at")
    return (
        f"Projected to {size.nodes} nodes, {size.routes:,} routes, {size.consumers:,} consumers, each node at "
        f"{BUSY:.0%} of its core with requests that count one quota:\n\n{table(columns, rows)}\n\n"
        f"- {first.name} {word}: {_figure(first.needed, first.unit)} of {_figure(first.bears, first.unit)}, full at "
        f"{_full_at(first, size)}"
    )


def _full_at(bearing: Bearing, size: Size) -> str:
    full = bearing.full_at(size)
    return "never" if math.isinf(full) else f"{math.floor(full):,} {bearing.grows}"


def _figure(value: float, unit: str) -> str:
    return f"{number(value, 1 if value < 100 else 0)} {unit}".rstrip()
