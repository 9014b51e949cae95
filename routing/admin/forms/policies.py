"""D: The forms of quotas, roles, plans, identity providers and topic rules, which are judged by themselves."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from routing.admin.forms.entry import EntryForm, entry_form
from routing.admin.forms.leaves import leaves
from routing.admin.sections import honoured
from routing.cleaning import policy_report
from routing.columns import IDENTITY_PROVIDER, PLAN, QUOTA, ROLE, TOPIC, Table
from routing.document.policies import IdentityProviderSpec, PlanSpec, QuotaSpec, RoleSpec
from routing.document.topics import TopicRuleSpec
from routing.models import IdentityProvider, Plan, Quota, RoleScopes, TopicRule
from routing.problems import Problem, quote


class PolicyEntryForm(EntryForm):
    """An entry that nothing else is needed to judge."""

    def check(self, entry: Mapping[str, Any]) -> Iterable[Problem]:
        return policy_report(self.table.kind, dict(entry))[0]


class RoleEntryForm(PolicyEntryForm):
    """The scopes of a role."""

    table: ClassVar[Table] = ROLE

    class Meta:
        model = RoleScopes
        fields = ("notes",)


class QuotaEntryForm(PolicyEntryForm):
    """How many requests in which time."""

    table: ClassVar[Table] = QUOTA

    class Meta:
        model = Quota
        fields = ("notes",)


class PlanEntryForm(PolicyEntryForm):
    """What consumers may be put on."""

    table: ClassVar[Table] = PLAN

    class Meta:
        model = Plan
        fields = ("notes",)


class ProviderEntryForm(PolicyEntryForm):
    """Somebody whose tokens are believed."""

    table: ClassVar[Table] = IDENTITY_PROVIDER

    class Meta:
        model = IdentityProvider
        fields = ("notes",)


class TopicEntryForm(PolicyEntryForm):
    """Who may read and write topics."""

    table: ClassVar[Table] = TOPIC

    def check(self, entry: Mapping[str, Any]) -> Iterable[Problem]:
        """A pattern that another rule has is told here, whichever of the two stands first in the document."""
        yield from super().check(entry)
        taken = {
            pattern: rule.name
            for rule in TopicRule.objects.exclude(pk=self.instance.pk)
            for pattern in rule.topics or ()
        }
        for place, pattern in enumerate(entry.get("topics") or ()):
            if pattern in taken:
                message = f"{quote(pattern)} is in the rule {quote(taken[pattern])} already"
                yield Problem("gateway.E032", f"topics[{place}]", message)

    class Meta:
        model = TopicRule
        fields = ("notes",)


RoleForm = entry_form(RoleEntryForm, honoured(ROLE.kind, leaves(RoleSpec)))
QuotaForm = entry_form(QuotaEntryForm, honoured(QUOTA.kind, leaves(QuotaSpec)))
PlanForm = entry_form(PlanEntryForm, honoured(PLAN.kind, leaves(PlanSpec)))
ProviderForm = entry_form(ProviderEntryForm, honoured(IDENTITY_PROVIDER.kind, leaves(IdentityProviderSpec)))
TopicForm = entry_form(TopicEntryForm, honoured(TOPIC.kind, leaves(TopicRuleSpec)))
