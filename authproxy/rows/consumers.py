"""D: Consumers, who call the API, and the keys that they call it with."""

from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models import Q

from routing.fields import WordsField
from routing.rows.base import NAME_LENGTH

KINDS: Final = ("user", "service")
USERNAME_LENGTH: Final = 150  # of Django's accounts, with whose names a consumer's shares one space


class Consumer(models.Model):
    """Somebody who calls the API: a person's account, or a program.

    What a consumer may do is the union of its own scopes and of those that its roles bring; an account's groups
    count as roles, too.
    """

    name = models.CharField(max_length=USERNAME_LENGTH, unique=True, validators=[UnicodeUsernameValidator()])
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in KINDS], default="user")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="consumer",
        help_text="The account that this consumer is, if it is somebody who signs in.",
    )
    plan = models.CharField(
        max_length=NAME_LENGTH,
        blank=True,
        help_text="A plan of the configuration: its quotas take the place of a route's.",
    )
    roles: Any = models.ManyToManyField(Group, blank=True, related_name="consumers")
    scopes = WordsField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="consumer_kind"),
            models.CheckConstraint(
                condition=Q(user=None) | Q(kind="user"), name="consumer_with_account_is_a_user"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A secret that stands for a consumer. Only a keyed hash is kept; `prefix` is what people see of it."""

    consumer = models.ForeignKey(Consumer, on_delete=models.CASCADE, related_name="keys")
    name = models.CharField(max_length=NAME_LENGTH, help_text="What it is for.")
    prefix = models.CharField(max_length=24, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    scopes = WordsField(
        null=True, blank=True, help_text="Narrower than the consumer's; empty: all that the consumer has."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"
        constraints = [
            models.UniqueConstraint(
                fields=["consumer", "name"], condition=Q(revoked_at=None), name="apikey_name"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
