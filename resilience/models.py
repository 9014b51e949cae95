"""D: What keeps services usable, as rows, gathered for Django."""

from resilience.rows.breakers import BreakerState, BreakerTransition
from resilience.rows.canaries import CanaryEvent, CanaryState
from resilience.rows.purges import CachePurge
from resilience.rows.quotas import QuotaCount, QuotaReset
from resilience.rows.targets import LeaderLease, TargetEjection, TargetHealth, TargetReadmission

__all__ = [
    "BreakerState",
    "BreakerTransition",
    "CachePurge",
    "CanaryEvent",
    "CanaryState",
    "LeaderLease",
    "QuotaCount",
    "QuotaReset",
    "TargetEjection",
    "TargetHealth",
    "TargetReadmission",
]
