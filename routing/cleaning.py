"""D: Rows checked by the document's own validation, with each problem at the column that it is about."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from routing.columns import BACKEND, DESTINATIONS, TABLES, TARGET, Entry, Table
from routing.loader import MODELS
from routing.models import Quota, Route, RouteDefaults, Service, Target
from routing.problems import Problem
from routing.storable import storable_problems
from routing.validation import check_document, check_route, check_service

_STEP: Final = re.compile(r"[^.\[\]]+")
_TABLE_OF: Final[dict[type[models.Model], Table]] = {MODELS[table.kind]: table for table in TABLES}
# Where no real one can be asked for: a target is checked inside a service, a service inside a document.
_STAND_IN: Final = "this"


def written(row: models.Model, *, children: Sequence[Entry] = ()) -> Entry:
    """The row as the document would have it; `children` are its targets or backends."""
    table = TARGET if isinstance(row, Target) else _TABLE_OF[type(row)]
    values: dict[str, Any] = {name: getattr(row, name) for name in table.columns if name != "service"}
    if isinstance(row, Route):
        values["service"] = row.service.name if row.service is not None else None
    entry = table.entry(values)
    if table.child is not None and children:
        entry[table.child] = list(children)
    return entry


def saved_children(row: Service | Route) -> list[Entry]:
    """The children that the database holds for this row."""
    if row.pk is None:
        return []
    if isinstance(row, Service):
        return [TARGET.entry(values) for values in row.targets.values()]
    backends = row.backends.values("weight", service_name=models.F("service__name"))
    return [BACKEND.entry({"service": each["service_name"], "weight": each["weight"]}) for each in backends]


def service_problems(row: Service, targets: Sequence[Entry]) -> tuple[Problem, ...]:
    """What is wrong with a service that has these targets."""
    entry = written(row, children=targets)
    return check_service(entry, env=os.environ) or _unstorable("services", entry)


def route_problems(row: Route, backends: Sequence[Entry]) -> tuple[Problem, ...]:
    """What is wrong with a route that has these backends. References to other rows are the database's to keep."""
    entry = written(row, children=backends)
    problems = check_route(
        entry,
        known_services=set(Service.objects.values_list("name", flat=True)),
        known_quotas=set(Quota.objects.values_list("name", flat=True)),
        defaults=RouteDefaults.objects.values_list("values", flat=True).first(),
        env=os.environ,
    )
    return problems or _unstorable("routes", entry)


def clean_service(row: Service) -> None:
    """Raises ValidationError with every problem of the service itself."""
    problems = service_problems(row, saved_children(row))
    raise_at_columns([each for each in problems if _first_step(each.path) != "targets"])


def clean_target(row: Target) -> None:
    """Raises ValidationError with every problem of the target, as a target of its service."""
    service = row.service if row.service_id is not None else Service(name=_STAND_IN)
    problems = service_problems(service, [written(row)])
    mine = [each for each in problems if each.path.startswith("targets[0]")]
    raise_at_columns([_relative(each, "targets[0]") for each in mine])


def clean_route(row: Route) -> None:
    """Raises ValidationError with every problem of the route itself."""
    row.drop_other_destinations()
    problems = route_problems(row, saved_children(row))
    raise_at_columns([each for each in problems if _first_step(each.path) != "backends"])


def clean_policy(row: models.Model) -> None:
    """Raises ValidationError with every problem of a quota, plan, role or identity provider."""
    raise_at_columns(policy_report(_TABLE_OF[type(row)].kind, written(row))[0])


def policy_report(kind: str, entry: Entry) -> tuple[list[Problem], list[Problem]]:
    """What is wrong with a quota, plan, role or identity provider alone, and what is worth a warning."""
    document = {"version": 1, kind: [entry]}
    checked = check_document(document, env=os.environ)
    place = f"{kind}[0]"
    problems, warnings = (
        [
            _relative(each, place)
            for each in found
            if each.path.startswith(place) and each.id != "gateway.E011"
        ]
        for found in (checked.problems or storable_problems(document), checked.warnings)
    )
    return problems, warnings


def raise_at_columns(problems: Iterable[Problem]) -> None:
    """Raises one ValidationError that holds every problem at its column, if there is any."""
    errors = errors_by_column(problems)
    if errors:
        raise ValidationError(errors)


def errors_by_column(problems: Iterable[Problem]) -> dict[str, list[ValidationError]]:
    """Problems (paths relative to the entry) under the columns that they are about."""
    errors: defaultdict[str, list[ValidationError]] = defaultdict(list)
    for problem in problems:
        column, place = column_of(problem.path)
        text = f"{place}: {problem.message}" if place else problem.message
        errors[column].append(ValidationError(text, code=problem.id))
    return dict(errors)


def column_of(path: str) -> tuple[str, str]:
    """`match.hosts[0]` → `("hosts", "[0]")`: the column, and what is left of the path inside it."""
    steps = _STEP.findall(path)
    if not steps:
        return NON_FIELD_ERRORS, ""
    if steps[0] == "match" and len(steps) > 1:
        return steps[1], path.partition(steps[1])[2].lstrip(".")
    if steps[:2] == ["auth", "level"]:
        return "auth_level", ""
    if steps[0] in ("match", "backends", "targets"):
        return NON_FIELD_ERRORS, path
    column = (
        "destination" if steps[0] in DESTINATIONS and len(steps) == 1 and steps[0] != "service" else steps[0]
    )
    return column, path.partition(steps[0])[2].lstrip(".")


def _first_step(path: str) -> str:
    steps = _STEP.findall(path)
    return steps[0] if steps else ""


def _relative(problem: Problem, place: str) -> Problem:
    path = problem.path.removeprefix(place).removeprefix(".")
    return Problem(problem.id, path, problem.message, problem.value)


def _unstorable(kind: str, entry: Entry) -> tuple[Problem, ...]:
    problems = storable_problems({kind: [entry]})
    return tuple(_relative(problem, f"{kind}[0]") for problem in problems)
