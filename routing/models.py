"""D: The rows that people edit and the revisions that nodes run, gathered for Django."""

from routing.rows.base import EditConflict
from routing.rows.changes import DraftComment, Schedule
from routing.rows.leases import Lease, LeaseCount, LeaseState, Trust
from routing.rows.owners import Owner
from routing.rows.policies import IdentityProvider, Plan, Quota, RoleScopes
from routing.rows.revisions import Node, PendingChange, Revision
from routing.rows.routes import Destination, Route, RouteBackend, RouteDefaults
from routing.rows.services import Service, Target
from routing.rows.topics import TopicRule

__all__ = [
    "Destination",
    "DraftComment",
    "EditConflict",
    "IdentityProvider",
    "Lease",
    "LeaseCount",
    "LeaseState",
    "Node",
    "Owner",
    "PendingChange",
    "Plan",
    "Quota",
    "Revision",
    "RoleScopes",
    "Route",
    "RouteBackend",
    "RouteDefaults",
    "Schedule",
    "Service",
    "Target",
    "TopicRule",
    "Trust",
]
