"""What the form of a receiver makes of what is typed."""

from typing import Any

import pytest

from observability.admin.forms import MOST_ADDRESSES, ReceiverForm
from observability.models import AlertReceiver

pytestmark = pytest.mark.django_db


def test_addresses_are_one_a_line(settings: Any) -> None:
    """However they are separated; a receiver by mail has no secret."""
    settings.EMAIL_HOST = "127.0.0.1"
    data = {
        "name": "m",
        "kind": "email",
        "enabled": "on",
        "addresses": "a@b.test, c@d.test",
        "least": "critical",
    }
    form = ReceiverForm(data)
    assert form.is_valid(), form.errors
    row = form.save()
    assert (row.addresses, bytes(row.sealed), form.made) == ("a@b.test\nc@d.test", b"", "")
    many = data | {"name": "n", "addresses": " ".join(f"a{n}@b.test" for n in range(MOST_ADDRESSES + 1))}
    assert list(ReceiverForm(many).errors) == ["addresses"]


def test_switching_on_again_forgets_why_it_was_off() -> None:
    """Until the receiver says so again."""
    row = AlertReceiver.objects.create(
        name="ops", url="https://h.test/", sealed=b"x", enabled=False, note="410"
    )
    data = {"name": "ops", "kind": "webhook", "enabled": "on", "url": "https://h.test/", "least": "warning"}
    form = ReceiverForm(data, instance=row)
    assert form.is_valid(), form.errors
    form.save()
    row.refresh_from_db()
    assert (row.enabled, row.note) == (True, "")
