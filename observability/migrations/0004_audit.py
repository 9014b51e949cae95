"""D: The audit trail, which the database itself keeps from being changed."""

from typing import Any

from django.db import migrations, models

from observability.audit import triggers


def guard(_apps: Any, editor: Any) -> None:
    """From now on the database refuses to change or to delete rows."""
    for statement in triggers.creation(editor.connection.vendor):
        editor.execute(statement)


def unguard(_apps: Any, editor: Any) -> None:
    """Tables can be dropped anyway; the function is left."""
    for statement in triggers.removal(editor.connection.vendor):
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("observability", "0003_alerts")]

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_index=True)),
                ("action", models.CharField(max_length=60)),
                ("actor", models.CharField(max_length=200)),
                ("actor_kind", models.CharField(max_length=20)),
                ("user_id", models.BigIntegerField(null=True)),
                ("door", models.CharField(max_length=20)),
                ("address", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=1000)),
                ("summary", models.CharField(max_length=500)),
                ("words", models.CharField(max_length=1500)),
                ("content", models.TextField()),
                ("previous", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["action", "-id"], name="audit_action"),
                    models.Index(fields=["actor", "-id"], name="audit_actor"),
                    models.Index(fields=["door", "-id"], name="audit_door"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditObject",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=300)),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["kind", "name", "-event_id"], name="audit_object"),
                    models.Index(fields=["name", "-event_id"], name="audit_object_name"),
                ],
            },
        ),
        migrations.RunPython(guard, unguard),
    ]
