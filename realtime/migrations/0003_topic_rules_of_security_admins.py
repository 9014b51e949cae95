"""Topic rules may open `gateway.security`: changing them is for security admins, and for editors no longer."""

from typing import Any

from django.db import migrations

CHANGING = ("add_topicrule", "change_topicrule", "delete_topicrule")


def hand_over(apps: Any, schema_editor: Any) -> None:
    """Once, in the ready groups of an installation that had them otherwise; a new one has neither group yet."""
    using = schema_editor.connection.alias
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    rows = list(permissions.filter(content_type__app_label="routing", codename__in=CHANGING))
    groups = apps.get_model("auth", "Group").objects.using(using)
    for editors in groups.filter(name="editor"):
        editors.permissions.remove(*rows)
    for admins in groups.filter(name="security admin"):
        admins.permissions.add(*rows)


class Migration(migrations.Migration):
    dependencies = [
        ("realtime", "0002_bus"),
        ("routing", "0006_topic_rules"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(hand_over, migrations.RunPython.noop)]
