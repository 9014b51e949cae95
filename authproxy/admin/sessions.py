"""D: The pages of sessions: who is signed in, from where, and ending that."""

from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.forms import BaseDialogForm

from authproxy import sessions
from authproxy.admin.asking import asked, by, counted, go_back, one
from authproxy.admin.columns import SessionColumns, to_account
from authproxy.admin.filters import SessionStateFilter, UsernameFilter
from authproxy.admin.rights import may
from authproxy.models import Session
from routing.admin.dialogs import action
from routing.admin.revisions import ReadOnlyAdmin
from routing.auditing import gathering

ENDING: Final = "Its cookie, its tokens and its refresh tokens are refused everywhere within a second."
ENDED_HERE: Final = "ended by staff"
SHOWN_AGENT: Final = 60


@admin.register(Session)
class SessionAdmin(SessionColumns, ReadOnlyAdmin):
    """Sign-ins of those who call the API; staff's own sign-in to these pages is not among them."""

    list_display = (
        "created_at",
        "shown_user",
        "shown_state",
        "address",
        "shown_agent",
        "last_seen_at",
        "expires_at",
        "end_reason",
    )
    list_select_related = ("user",)
    list_filter = (SessionStateFilter, UsernameFilter)
    list_filter_submit = True
    search_fields = ("user__username", "user__email", "address")
    sortable_by = ()
    ordering = ("-expires_at",)  # has an index; whoever signed in or refreshed last comes first
    fields = (
        "shown_user",
        "shown_state",
        "address",
        "user_agent",
        "scopes",
        "created_at",
        "last_seen_at",
        "expires_at",
        "ended_at",
        "end_reason",
    )
    actions = ("end_selected",)
    actions_row: ClassVar[list[Any]] = ["end", "end_all"]
    actions_detail: ClassVar[list[Any]] = ["end", "end_all"]

    def has_end_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Ending is the one change that there is."""
        return may(self, request, "change")

    @display(description="account")
    def shown_user(self, session: Session) -> SafeString:
        return to_account(session.user)

    @display(description="program")
    def shown_agent(self, session: Session) -> str:
        agent = session.user_agent
        return agent if len(agent) <= SHOWN_AGENT else f"{agent[:SHOWN_AGENT]}…"

    @action(
        description="End",
        icon="logout",
        permissions=["end"],
        url_path="end",
        dialog={"title": "End this session?", "description": ENDING, "form_submit_text": "End it"},
    )
    def end(self, request: HttpRequest, _form: BaseDialogForm, object_id: str) -> HttpResponse:
        """Ends one session."""
        self.end_each(request, one(self.get_queryset(request), object_id))
        return go_back(request, reverse("admin:authproxy_session_changelist"))

    @action(
        description="End all of the account",
        icon="person_off",
        permissions=["end"],
        url_path="end-all",
        dialog={
            "title": "End every session of this account?",
            "description": ENDING,
            "form_submit_text": "End them",
        },
    )
    def end_all(self, request: HttpRequest, _form: BaseDialogForm, object_id: str) -> HttpResponse:
        """Ends every session of the account whose session this is."""
        session = self.get_object(request, object_id)
        if session is not None:
            self.tell(request, sessions.end_all(session.user, reason=ENDED_HERE, by=by(request)))
        return go_back(request, reverse("admin:authproxy_session_changelist"))

    @admin.action(description="End selected sessions", permissions=["end"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet[Session]) -> HttpResponse | None:
        """Asks, then ends them."""
        answer = asked(self, request, queryset, verb="End", about=ENDING)
        if not isinstance(answer, BaseDialogForm):
            return answer
        self.end_each(request, queryset)
        return None

    def end_each(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """Ends sessions, and says how many there were to end."""
        who = by(request)
        found = Session.objects.filter(pk__in=queryset.order_by().values("pk"), ended_at=None)
        with gathering():
            ended = sum(sessions.end(session, reason=ENDED_HERE, by=who) for session in found)
        self.tell(request, ended)

    def tell(self, request: HttpRequest, ended: int) -> None:
        """Says how many were ended."""
        self.message_user(request, f"Ended {counted(self, ended)}: refused everywhere within a second.")
