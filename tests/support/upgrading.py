"""D: A process that makes the database of an older version, with the rows that version wrote.

Run as a program on an empty database of its own (DATABASE_URL), with a file of `installations/`: JSON with `state` (the
newest migration of each app as of then), `tables` (model → its fields and rows, as Django serialises them, written by
that version's own commands) and what is known of them: `secret_key`, `api_key`, `account`, `exported`.
"""

# ruff: noqa: E402 - models can be imported once Django is set up

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import django

django.setup()

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

OURS = ("authproxy", "observability", "realtime", "resilience", "routing")


def main(file: Path) -> None:
    installation = json.loads(file.read_text())
    executor = MigrationExecutor(connection)
    others = [leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] not in OURS]
    state = executor.migrate([*others, *installation["state"].items()])
    # PostgreSQL changes no table whose foreign keys are still to be checked: rows have a transaction of their own.
    with transaction.atomic(), connection.constraint_checks_disabled():
        models = [state.apps.get_model(label) for label in installation["tables"]]
        for model, table in zip(models, installation["tables"].values(), strict=True):
            write(model, table["fields"], table["rows"])
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            connection.cursor().execute(statement)


def write(model: Any, names: list[str], rows: list[list[Any]]) -> None:
    """The rows of a model as it was."""
    fields = [model._meta.pk, *map(model._meta.get_field, names[1:])]
    own = [(place, field) for place, field in enumerate(fields) if not field.many_to_many]
    model.objects.bulk_create(
        model(**{field.attname: value_of(field, row[place]) for place, field in own}) for row in rows
    )
    for place, field in enumerate(fields):
        if field.many_to_many:
            for row in rows:
                getattr(model.objects.get(pk=row[0]), field.name).set(row[place])


def value_of(field: Any, value: Any) -> Any:
    """What a row holds, of what was serialised: for a field of the project's own, the text that its column holds."""
    if isinstance(value, str) and type(field).__module__.startswith(OURS):
        return field.from_db_value(value, None, connection)
    return (field.target_field if field.is_relation else field).to_python(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
