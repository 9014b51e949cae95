"""D: A short text that tells whether rows of the configuration changed, without reading them."""

import hashlib

from django.db import models
from django.db.models import Count, Max, Sum

from routing.loader import MODELS
from routing.models import RouteDefaults


def rows_key() -> str:
    """Another one after every change of a row: versions only grow. As hexadecimal digits."""
    tables: list[type[models.Model]] = [*MODELS.values(), RouteDefaults]
    sums = {"count": Count("pk"), "versions": Sum("version"), "newest": Max("pk"), "at": Max("updated_at")}
    found = [sorted(table._default_manager.aggregate(**sums).items()) for table in tables]
    return hashlib.sha256(repr(found).encode()).hexdigest()
