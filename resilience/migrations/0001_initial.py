from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="BreakerState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("service", models.CharField(max_length=100, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("closed", "closed"), ("open", "open"), ("half_open", "half open")],
                        default="closed",
                        max_length=10,
                    ),
                ),
                ("period", models.BigIntegerField(default=0)),
                ("since", models.DateTimeField(blank=True, null=True)),
                ("cause", models.CharField(blank=True, max_length=60)),
                ("requests", models.PositiveIntegerField(default=0)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("window_s", models.FloatField(default=0.0)),
                ("counted_at", models.DateTimeField(blank=True, null=True)),
                ("errors", models.JSONField(blank=True, default=list)),
                (
                    "forced",
                    models.CharField(
                        blank=True, choices=[("open", "open"), ("closed", "closed")], max_length=10
                    ),
                ),
                ("forced_until", models.DateTimeField(blank=True, null=True)),
                ("forced_at", models.DateTimeField(blank=True, null=True)),
                ("forced_by", models.CharField(blank=True, max_length=200)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("resets", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "breaker",
                "ordering": ["service"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["closed", "open", "half_open"])),
                        name="breaker_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("forced__in", ["", "open", "closed"])), name="breaker_forced"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BreakerTransition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("service", models.CharField(max_length=100)),
                ("at", models.DateTimeField(db_index=True)),
                ("before", models.CharField(max_length=10)),
                ("after", models.CharField(max_length=10)),
                ("cause", models.CharField(max_length=60)),
                ("by", models.CharField(blank=True, max_length=200)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("until", models.DateTimeField(blank=True, null=True)),
                ("requests", models.PositiveIntegerField(default=0)),
                ("failures", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "breaker transition",
                "ordering": ["-at", "-pk"],
                "indexes": [models.Index(fields=["service", "-at"], name="breaker_history")],
            },
        ),
    ]
