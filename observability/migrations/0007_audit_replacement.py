"""D: On SQLite, rows of the audit trail cannot be replaced by inserting others of their numbers either."""

from typing import Any

from django.db import migrations

from observability.audit import triggers


def guard(_apps: Any, editor: Any) -> None:
    """From now on the database refuses to insert what is there already."""
    for statement in triggers.replacement(editor.connection.vendor):
        editor.execute(statement)


def unguard(_apps: Any, editor: Any) -> None:
    """As it was before."""
    for statement in triggers.replacement_removal(editor.connection.vendor):
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("observability", "0006_audit_filters")]

    operations = [migrations.RunPython(guard, unguard)]
