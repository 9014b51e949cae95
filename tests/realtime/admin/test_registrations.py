"""What realtime shows in admin."""

import pytest
from django.contrib import admin

from realtime.models import LiveSocket, SocketEnding


@pytest.mark.parametrize("model", [LiveSocket, SocketEnding])
def test_pages_are_there(model: type) -> None:
    assert admin.site.is_registered(model)
