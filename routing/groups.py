"""D: A role is a Django group: publishing makes the groups that are missing."""

import os
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group

from routing.document.interpolation import fill


def make_groups(document: Mapping[str, Any]) -> None:
    """Creates a group for every role of the document. None is ever removed: accounts may be in it."""
    names = {str(fill(role["name"], os.environ).value) for role in document.get("roles") or ()}
    if names:
        missing = names.difference(Group.objects.filter(name__in=names).values_list("name", flat=True))
        # Somebody may be making the same one by hand.
        Group.objects.bulk_create([Group(name=name) for name in sorted(missing)], ignore_conflicts=True)
