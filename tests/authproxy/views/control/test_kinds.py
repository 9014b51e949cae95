"""Kinds of entries: every section of the document is one, and its list is read in a few queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authproxy.views.control.kinds import KINDS, page
from routing.document.schema import KINDS as SECTIONS
from routing.drafts import Actor
from routing.models import Route
from routing.publishing import apply_document
from tests.authproxy.views.control.test_tables import asked
from tests.support.configuration import large

pytestmark = pytest.mark.django_db


def test_every_section_is_a_kind() -> None:
    """None is forgotten."""
    assert set(KINDS) == set(SECTIONS)


def test_a_page_takes_a_few_queries_whatever_its_size() -> None:
    """And reads no more rows than it shows."""
    apply_document(large(50, services=3), actor=Actor("first"))
    counts = []
    for limit in (1, 50):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = page(KINDS["routes"], Route.objects.all(), asked(f"limit={limit}"))
        assert (len(found["routes"]), found["total"]) == (limit, 50)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5
