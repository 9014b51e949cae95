"""D: Everything that registers itself with admin; imported once the applications are ready."""

from typing import Any

from django.contrib import admin

import routing.admin.defaults
import routing.admin.nodes
import routing.admin.pending
import routing.admin.revisions
import routing.admin.routes
import routing.admin.services  # noqa: F401
from routing.admin.dashboard import TEMPLATE
from routing.admin.explaining import urls

admin.site.index_template = TEMPLATE
site: Any = admin.site
site.extra_urls = urls
