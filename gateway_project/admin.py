"""D: Accounts and groups in admin: unfold's forms, what an account may do, and shutting one out."""

from typing import Any, ClassVar, Final

from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, BaseDialogForm, UserChangeForm, UserCreationForm

from authproxy import accounts, revocation, sessions
from authproxy.admin.asking import by, go_back, noted, one
from authproxy.admin.columns import link, to_consumer
from authproxy.admin.deleting import summed
from authproxy.admin.groups import GroupForm
from authproxy.admin.rights import may_act_for
from authproxy.admin.sessions import ENDED_HERE, ENDING
from authproxy.admin.switching import SWITCHES, SWITCHES_SELECTED, SwitchingAdmin
from authproxy.granting import consumer_row, standing
from authproxy.models import ApiKey, Consumer
from authproxy.telling import tell_on_commit
from routing.admin.audited import AuditedAdmin
from routing.admin.dialogs import ReasonDialog, action, go
from routing.auditing import gathering

_POWERS: Final = ("is_superuser", "user_permissions")
_OWN: Final = ("is_active", "is_staff", "is_superuser")
_SHOWN: Final = ("shown_scopes", "shown_consumer", "shown_sessions")

admin.site.unregister(User)
admin.site.unregister(Group)


class _OwnName:
    """An account's name is no consumer's."""

    def clean_username(self) -> str:
        """Refuses the name of another account or consumer."""
        form: Any = self
        name: str = form.cleaned_data["username"]
        if accounts.is_taken(name, user=form.instance):
            raise ValidationError(accounts.NAME_TAKEN, code="unique")
        return name


class AccountForm(_OwnName, UserChangeForm):
    """An account that is there."""


class NewAccountForm(_OwnName, UserCreationForm):
    """A new one."""


@admin.register(User)
class UserAdmin(AuditedAdmin, BaseUserAdmin, SwitchingAdmin):  # type: ignore[type-arg]
    """People who sign in."""

    form = AccountForm
    add_form = NewAccountForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "shown_groups", "is_staff", "is_active", "last_login")
    list_filter_submit = True
    list_per_page = 50
    warn_unsaved_form = True
    actions = SWITCHES_SELECTED
    actions_row: ClassVar[list[Any]] = [*SWITCHES, "end_sessions", "remove_factors"]
    actions_detail: ClassVar[list[Any]] = [
        *SWITCHES,
        {"title": "More", "icon": "more_horiz", "items": ["make_consumer", "end_sessions", "remove_factors"]},
    ]

    # Who may what

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and may_act_for(request, _account(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes the account by which they are signed in."""
        is_own = obj is not None and obj.pk == request.user.pk
        return not is_own and super().has_delete_permission(request, obj) and may_act_for(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        me: Any = request.user
        powers = () if me.is_superuser else _POWERS
        own = _OWN if obj is not None and obj.pk == me.pk else ()
        return tuple(dict.fromkeys((*_SHOWN, *powers, *own)))

    # What pages show

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        queryset: QuerySet[User] = super().get_queryset(request)
        return queryset.select_related("consumer").prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        calling = ("Calling the API", {"fields": _SHOWN})
        return fieldsets if obj is None else (*fieldsets[:1], calling, *fieldsets[1:])

    @display(description="groups")
    def shown_groups(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or "–"

    @display(description="scopes")
    def shown_scopes(self, user: User) -> str:
        found = standing(user)
        return " ".join(sorted(found.scopes)) if found is not None and found.scopes else "none"

    @display(description="consumer")
    def shown_consumer(self, user: User) -> SafeString | str:
        row = consumer_row(user)
        return to_consumer(row) if row is not None else "none yet: it has neither keys nor a plan"

    @display(description="open sessions")
    def shown_sessions(self, user: User) -> SafeString:
        number = sessions.live(user).count()
        return link("authproxy_session_changelist", number, account=user.username, state="live")

    # Saving and deleting

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        revocation.hold_order()  # before any row is locked
        obj.changed_by = by(request)
        super().save_model(request, obj, form, change)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        revocation.hold_order()
        super().delete_queryset(request, queryset)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        mine = Consumer.objects.filter(user__in=objs)
        keys = ApiKey.objects.filter(consumer__in=mine)
        return summed(self, objs, request, also={"consumers": mine.count(), "API keys": keys.count()})

    # Actions

    def is_enabled(self, object_id: Any) -> bool:
        return one(User.objects.filter(is_active=True), object_id).exists()

    def switched(self, request: HttpRequest, queryset: QuerySet[User], *, is_on: bool) -> list[User]:
        """Never one's own account, nor one that is beyond one's reach."""
        me: Any = request.user
        wrong = queryset.filter(is_active=not is_on).exclude(pk=me.pk).order_by("pk")
        changed = [user for user in wrong if may_act_for(request, user)]
        accounts.set_active(changed, is_on, by=by(request))
        return changed

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Making it a consumer is for an account that is none."""
        found = super().get_actions_detail(request, object_id)
        if not one(User.objects.exclude(consumer=None), object_id).exists():
            return found
        return [each for each in found if each.path != "make-consumer"]

    def has_end_sessions_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Whoever may end sessions."""
        return bool(request.user.has_perm("authproxy.change_session"))

    def has_make_consumer_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Whoever may make consumers."""
        return bool(request.user.has_perm("authproxy.add_consumer"))

    @action(
        description="Make it a consumer",
        icon="badge",
        permissions=["make_consumer"],
        url_path="make-consumer",
        dialog={
            "title": "Make this account a consumer?",
            "description": "Then it can be given keys, a plan, and scopes of its own.",
            "form_submit_text": "Make it one",
        },
    )
    def make_consumer(self, request: HttpRequest, _form: BaseDialogForm, object_id: str) -> HttpResponse:
        """Makes the consumer, and opens its page."""
        user = self.get_object(request, object_id)
        if user is None:
            return go(request, reverse("admin:auth_user_changelist"))
        try:
            with gathering("account.make_consumer"):
                row = accounts.consumer_of(user)
                self.log_change(request, user, "Made a consumer.")
        except ValidationError as error:
            self.message_user(request, f"Nothing was changed: {error.messages[0]}", messages.ERROR)
            return go(request, reverse("admin:auth_user_change", args=[user.pk]))
        return go(request, reverse("admin:authproxy_consumer_change", args=[row.pk]))

    @action(
        description="End all sessions",
        icon="logout",
        permissions=["end_sessions"],
        url_path="end-sessions",
        dialog={
            "title": "End every session of this account?",
            "description": ENDING,
            "form_submit_text": "End them",
        },
    )
    def end_sessions(self, request: HttpRequest, _form: BaseDialogForm, object_id: str) -> HttpResponse:
        """Ends every session of one account."""
        user = self.get_object(request, object_id)
        if user is not None:
            ended = sessions.end_all(user, reason=ENDED_HERE, by=by(request))
            self.message_user(request, f"Ended {ended} sessions: refused everywhere within a second.")
        return go_back(request, reverse("admin:auth_user_changelist"))

    def has_remove_factors_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whoever may remove authenticators, of an account within reach."""
        may = bool(request.user.has_perm("mfa.delete_authenticator"))
        return may and may_act_for(request, _account(object_id))

    @action(
        description="Remove second factors",
        icon="phonelink_erase",
        permissions=["remove_factors"],
        url_path="remove-factors",
        dialog={
            "title": "Remove every second factor of this account?",
            "description": "For somebody who has lost theirs. The password alone is enough then, "
            "until a new one is set up.",
            "form_class": ReasonDialog,
            "form_submit_text": "Remove them",
        },
    )
    def remove_factors(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Removes authenticator apps, security keys and recovery codes of one account."""
        user = self.get_object(request, object_id)
        if user is not None:
            with gathering("account.remove_factors", reason=form.cleaned_data.get("reason", "")):
                removed, _ = Authenticator.objects.filter(user=user).delete()
                if removed:
                    self.log_change(request, user, noted("Second factors removed", form))
                    tell_on_commit("mfa_removed", actor=by(request), subject=user.get_username())
            self.message_user(request, f"Removed {removed} second factors of {user}.")
        return go_back(request, reverse("admin:auth_user_changelist"))


@admin.register(Group)
class GroupAdmin(AuditedAdmin, BaseGroupAdmin, ModelAdmin):
    """Roles: what their members may do in admin."""

    form = GroupForm

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A class of its own for each request: who asks is kept there."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.me = request.user
        return form


def _account(obj: Any) -> User | None:
    """What unfold asks about: an account or, of an action on its page, its id."""
    return obj if obj is None or isinstance(obj, User) else one(User.objects.all(), obj).first()
