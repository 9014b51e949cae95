"""D: What is seen of the gateway, as rows, gathered for Django."""

from observability.rows.alerts import AlertDelivery, AlertReceiver, Incident
from observability.rows.audit import AuditEvent, AuditObject
from observability.rows.requests import KeptRequest, WouldRefuse
from observability.rows.traffic import CallerRow, TrafficRow

__all__ = [
    "AlertDelivery",
    "AlertReceiver",
    "AuditEvent",
    "AuditObject",
    "CallerRow",
    "Incident",
    "KeptRequest",
    "TrafficRow",
    "WouldRefuse",
]
