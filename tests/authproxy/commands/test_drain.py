"""`gateway drain`."""

import pytest

from routing.models import Revision, Target
from tests.support.cli import gateway
from tests.support.standings import A, shop

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_a_target_drains_until_it_is_undone() -> None:
    """Who did it and why is in the revision; a second time there is nothing to do."""
    shop()
    ran = gateway("drain", "shop", A, "--reason", "old disks", "--as", "anna")
    assert (ran.code, ran.out) == (0, f"{A} of shop drains: published revision 1\n")
    row = Revision.objects.get()
    assert (row.message, row.author, row.source) == ("old disks", "anna", "cli")
    assert gateway("drain", "shop", A).out == f"{A} of shop drains: nothing to do\n"
    assert gateway("drain", "shop", A, "--undo", "--json").data["outcome"] == "published"
    assert not Target.objects.filter(drain=True).exists()


def test_what_is_not_there_is_refused_in_one_line() -> None:
    shop()
    ran = gateway("drain", "shop", "http://b:2")
    assert (ran.code, ran.out) == (1, "")
    assert 'has no target "http://b:2" (did you mean "http://b:1"?)' in ran.err
    assert ran.err.count("\n") == 1
