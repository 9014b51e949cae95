"""The first page has both parts, for those who may see them."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from gateway_project.frontpage import fill
from tests.support.adminpages import signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_parts() -> None:
    request = RequestFactory().get("/admin/")
    request.user = AnonymousUser()
    assert "traffic" not in fill(request, {})
    text = signed_in().get("/admin/").content.decode()
    assert 'id="torana-board"' in text
    assert "Live revision" in text
