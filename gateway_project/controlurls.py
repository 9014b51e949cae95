"""D: The paths below `/control/v1/`."""

from django.urls import path

from authproxy.views.breakers import BreakersView, BreakerView
from authproxy.views.cachepurge import CachePurgeView
from authproxy.views.canaries import CanariesView, CanaryView
from authproxy.views.control.access import (
    ConsumerKeysView,
    ConsumerKeyView,
    ConsumersView,
    ConsumerView,
)
from authproxy.views.control.defaults import DefaultsView
from authproxy.views.control.described import ENTRY_VIEWS
from authproxy.views.control.documents import DocumentView
from authproxy.views.control.groups import GroupsView, GroupView, PermissionsView
from authproxy.views.control.leases import ControlLeaseView, LeasesView
from authproxy.views.control.limited import LimitedCallersView
from authproxy.views.control.nodes import NodesView
from authproxy.views.control.owners import OwnersView, OwnerView
from authproxy.views.control.people import ControlSessionsView, ControlSessionView, UsersView, UserView
from authproxy.views.control.revisions import (
    DiffView,
    RevisionDocumentView,
    RevisionsView,
    RevisionView,
    RollbackView,
)
from authproxy.views.control.securityevents import SecurityEventsView
from authproxy.views.control.signingkeys import RotateKeysView, SigningKeysView, SigningKeyView
from authproxy.views.explain import ExplainView
from authproxy.views.quotacounts import CountsView, ResetView
from authproxy.views.targets import DrainView, ReadmitView, TargetsView
from observability.views.alerts import DeliveriesView, IncidentsView
from observability.views.audit import AuditView
from observability.views.logonly import LogOnlyView
from observability.views.receivers import ReceiversView, ReceiverView, TryReceiverView
from observability.views.replay import ReplayView
from observability.views.requests import RequestsView, RequestView
from observability.views.slo import SloView
from observability.views.traffic import TrafficView
from realtime.views.bus import (
    DeadLettersView,
    DeadLetterView,
    SendLetterView,
    WaitingEventsView,
    WaitingEventView,
)
from realtime.views.sockets import EndView, SocketsView

_V1 = "control/v1/"

operating = [
    path(f"{_V1}alerts/deliveries", DeliveriesView.as_view()),
    path(f"{_V1}alerts/incidents", IncidentsView.as_view()),
    path(f"{_V1}alerts/receivers", ReceiversView.as_view()),
    path(f"{_V1}alerts/receivers/<path:name>/test", TryReceiverView.as_view()),
    path(f"{_V1}alerts/receivers/<path:name>", ReceiverView.as_view()),
    path(f"{_V1}breakers", BreakersView.as_view()),
    path(f"{_V1}audit", AuditView.as_view()),
    path(f"{_V1}breakers/<str:service>", BreakerView.as_view()),
    path(f"{_V1}bus/dead-letters", DeadLettersView.as_view()),
    path(f"{_V1}bus/dead-letters/<int:pk>", DeadLetterView.as_view()),
    path(f"{_V1}bus/dead-letters/<int:pk>/send", SendLetterView.as_view()),
    path(f"{_V1}bus/waiting-events", WaitingEventsView.as_view()),
    path(f"{_V1}bus/waiting-events/<int:pk>", WaitingEventView.as_view()),
    path(f"{_V1}cache/purge", CachePurgeView.as_view()),
    path(f"{_V1}canaries", CanariesView.as_view()),
    path(f"{_V1}canaries/<str:route>", CanaryView.as_view()),
    path(f"{_V1}explain", ExplainView.as_view()),
    path(f"{_V1}limited-callers", LimitedCallersView.as_view()),
    path(f"{_V1}log-only", LogOnlyView.as_view()),
    path(f"{_V1}nodes", NodesView.as_view()),
    path(f"{_V1}quotas/counts", CountsView.as_view()),
    path(f"{_V1}quotas/counts/reset", ResetView.as_view()),
    path(f"{_V1}replay", ReplayView.as_view()),
    path(f"{_V1}requests", RequestsView.as_view()),
    path(f"{_V1}requests/<path:key>", RequestView.as_view()),
    path(f"{_V1}security-events", SecurityEventsView.as_view()),
    path(f"{_V1}services/<str:service>/targets", TargetsView.as_view()),
    path(f"{_V1}services/<str:service>/targets/drain", DrainView.as_view()),
    path(f"{_V1}services/<str:service>/targets/readmit", ReadmitView.as_view()),
    path(f"{_V1}slo", SloView.as_view()),
    path(f"{_V1}sockets", SocketsView.as_view()),
    path(f"{_V1}sockets/end", EndView.as_view()),
    path(f"{_V1}traffic", TrafficView.as_view()),
]
configuring = [
    path(f"{_V1}defaults", DefaultsView.as_view()),
    path(f"{_V1}document", DocumentView.as_view()),
    path(f"{_V1}revisions", RevisionsView.as_view()),
    path(f"{_V1}revisions/<str:number>", RevisionView.as_view()),
    path(f"{_V1}revisions/<str:number>/document", RevisionDocumentView.as_view()),
    path(f"{_V1}revisions/<str:number>/diff", DiffView.as_view()),
    path(f"{_V1}revisions/<str:number>/rollback", RollbackView.as_view()),
]
for kind, (entries, entry) in ENTRY_VIEWS.items():
    name = "<path:name>" if kind == "roles" else "<str:name>"  # a group of Django's may be called ops/night
    configuring += [
        path(f"{_V1}{kind}", entries.as_view()),
        path(f"{_V1}{kind}/{name}", entry.as_view()),
    ]
access = [
    path(f"{_V1}consumers", ConsumersView.as_view()),
    path(f"{_V1}consumers/<str:name>", ConsumerView.as_view()),
    path(f"{_V1}consumers/<str:name>/keys", ConsumerKeysView.as_view()),
    path(f"{_V1}consumers/<str:name>/keys/<int:pk>", ConsumerKeyView.as_view()),
    path(f"{_V1}groups", GroupsView.as_view()),
    path(f"{_V1}groups/<path:name>", GroupView.as_view()),
    path(f"{_V1}permissions", PermissionsView.as_view()),
    path(f"{_V1}owners", OwnersView.as_view()),
    path(f"{_V1}owners/<str:kind>/<str:entry>/<str:who>/<path:name>", OwnerView.as_view()),
    path(f"{_V1}signing-keys", SigningKeysView.as_view()),
    path(f"{_V1}signing-keys/rotate", RotateKeysView.as_view()),
    path(f"{_V1}signing-keys/<str:kid>", SigningKeyView.as_view()),
    path(f"{_V1}users", UsersView.as_view()),
    path(f"{_V1}users/<str:username>", UserView.as_view()),
    path(f"{_V1}sessions", ControlSessionsView.as_view()),
    path(f"{_V1}sessions/<uuid:pk>", ControlSessionView.as_view()),
    path(f"{_V1}leases", LeasesView.as_view()),
    path(f"{_V1}leases/<uuid:pk>", ControlLeaseView.as_view()),
]
urlpatterns = [*operating, *configuring, *access]
