"""D: Everything that registers itself with admin; imported once the applications are ready."""

from typing import Any

from django.contrib import admin
from django.urls import URLPattern

import routing.admin.breakers
import routing.admin.canaries
import routing.admin.defaults
import routing.admin.leases
import routing.admin.nodes
import routing.admin.owners
import routing.admin.pending
import routing.admin.policies
import routing.admin.purges
import routing.admin.quotas
import routing.admin.revisions
import routing.admin.routes
import routing.admin.services
import routing.admin.targets  # noqa: F401
from routing.admin import explaining, importing
from routing.admin.dashboard import TEMPLATE

admin.site.index_template = TEMPLATE
site: Any = admin.site


def _extra_urls() -> list[URLPattern]:
    return [*explaining.urls(), *importing.urls()]


site.extra_urls = _extra_urls
