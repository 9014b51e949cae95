from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("resilience", "0007_canaries")]

    operations = [
        migrations.AlterModelOptions(
            name="targethealth",
            options={"ordering": ["service", "target"], "verbose_name": "target"},
        ),
    ]
