"""D: The tables of an empty SQLite file, made from the models at once.

Migrations bring a database from any version to the newest, and Django puts the models of every version between together
for it: seconds, where nothing is there yet to be brought anywhere. `makemigrations --check` holds models and migrations
together, and a test compares what both make.
"""

from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import Migration, RunPython, RunSQL
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


def create(connection: BaseDatabaseWrapper, executor: MigrationExecutor) -> bool:
    """Make every table, and note every migration as done; whether it was for this to do: an empty file of SQLite.

    All of it is one transaction: whoever ends it early finds the file empty. Two at once: the second finds it done.
    """
    if connection.vendor != "sqlite" or connection.introspection.table_names():
        return False
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    with connection.schema_editor() as editor:
        if connection.introspection.table_names():  # somebody else's start was quicker
            return False
        for model in apps.get_models():
            if model._meta.can_migrate(connection):
                editor.create_model(model)
        executor.recorder.ensure_schema()
        for migration, _ in plan:
            _repeat(migration, editor)
            executor.recorder.record_applied(migration.app_label, migration.name)
        emit_post_migrate_signal(0, False, connection.alias, plan=plan)  # content types and permissions
    return True


def _repeat(migration: Migration, editor: BaseDatabaseSchemaEditor) -> None:
    """What it does beside tables, such as triggers; rows that it would correct there are none."""
    for operation in migration.operations:
        if isinstance(operation, RunPython):
            operation.code(apps, editor)  # type: ignore[arg-type]
        elif isinstance(operation, RunSQL):
            state = ProjectState()
            operation.database_forwards(migration.app_label, editor, state, state)
