"""What realtime shows in admin."""

import pytest
from django.contrib import admin

from realtime.models import DeadLetter, LiveSocket, SocketEnding, WaitingEvent


@pytest.mark.parametrize("model", [DeadLetter, LiveSocket, SocketEnding, WaitingEvent])
def test_pages_are_there(model: type) -> None:
    assert admin.site.is_registered(model)
