"""D: Quota, Plan, RoleScopes and IdentityProvider: policies that routes refer to by name."""

from django.db import models
from django.db.models import Q

from routing.fields import WordsField, WrittenField
from routing.rows.base import Named
from routing.rows.services import section, written_choice

ALGORITHMS = ("token_bucket", "sliding_window", "fixed_window")
STORE_FAILURES = ("local", "allow", "deny")


class Quota(Named):
    """A budget of requests; routes that name one share its buckets."""

    algorithm = models.CharField(max_length=200, null=True, blank=True)
    limit = WrittenField(null=True, blank=True)
    per = WrittenField(null=True, blank=True)
    burst = WrittenField(null=True, blank=True)
    key = section("consumer, ip, api_key, route, service, global, {header: …}, or a list of them.")
    methods = WordsField(null=True, blank=True)
    on_store_failure = models.CharField(max_length=200, null=True, blank=True)
    mode = models.CharField(max_length=200, null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="quota_has_name"),
            models.CheckConstraint(condition=written_choice("algorithm", ALGORITHMS), name="quota_algorithm"),
            models.CheckConstraint(
                condition=written_choice("on_store_failure", STORE_FAILURES), name="quota_on_store_failure"
            ),
        ]

    def clean(self) -> None:
        from routing.cleaning import clean_policy

        super().clean()
        clean_policy(self)


class Plan(Named):
    """What a consumer may be put on; its quotas replace a route's quotas of the same names."""

    quotas = section("A list of {name, limit, per, burst}.")

    class Meta:
        ordering = ["name"]

    def clean(self) -> None:
        from routing.cleaning import clean_policy

        super().clean()
        clean_policy(self)


class RoleScopes(Named):
    """The scopes that a role (a Django group of the same name) brings."""

    name = models.CharField(max_length=150, unique=True)  # as Django's groups are named
    scopes = WordsField(null=True, blank=True)
    default = models.BooleanField(null=True, blank=True, help_text="Every registered account has it.")

    class Meta:
        ordering = ["name"]
        verbose_name = "role"

    def clean(self) -> None:
        from routing.cleaning import clean_policy

        super().clean()
        clean_policy(self)


class IdentityProvider(Named):
    """Somebody whose tokens are believed."""

    issuer = WrittenField(null=True, blank=True)
    audience = section()
    jwks_url = WrittenField(null=True, blank=True)
    discovery_url = WrittenField(null=True, blank=True)
    secret = WrittenField(null=True, blank=True, help_text="Only as ${VARIABLE}.")
    cookie = WrittenField(null=True, blank=True)
    algorithms = WordsField(null=True, blank=True)
    claims = section()

    class Meta:
        ordering = ["name"]

    def clean(self) -> None:
        from routing.cleaning import clean_policy

        super().clean()
        clean_policy(self)
