from django.db import migrations

import routing.fields


class Migration(migrations.Migration):
    dependencies = [
        ("routing", "0004_compression"),
    ]

    operations = [
        migrations.AddField(
            model_name="route",
            name="force",
            field=routing.fields.SectionField(
                blank=True,
                help_text="With several services: {header: NAME} or {cookie: NAME} whose value names one.",
                null=True,
            ),
        ),
    ]
