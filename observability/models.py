"""D: What is seen of the gateway, as rows, gathered for Django."""

from observability.rows.audit import AuditEvent, AuditObject
from observability.rows.alerts import AlertDelivery, AlertReceiver, Incident
from observability.rows.requests import KeptRequest, WouldRefuse
from observability.rows.traffic import CallerRow, TrafficRow

__all__ = ["AuditEvent", "AuditObject", 
    "AlertDelivery",
    "AlertReceiver",
    "CallerRow",
    "Incident",
    "KeptRequest",
    "TrafficRow",
    "WouldRefuse",
]
