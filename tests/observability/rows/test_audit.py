"""Rows of the trail, as pages and logs name them."""

from observability.models import AuditEvent, AuditObject


def test_names() -> None:
    assert str(AuditEvent(pk=3, action="key.revoke", actor="anna")) == "3: key.revoke by anna"
    assert str(AuditObject(kind="routes", name="orders")) == "routes orders"
