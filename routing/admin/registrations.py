"""D: Everything that registers itself with admin; imported once the applications are ready."""

from django.contrib import admin

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
import routing.admin.schedules
import routing.admin.services
import routing.admin.targets  # noqa: F401
from routing.admin.dashboard import TEMPLATE

admin.site.index_template = TEMPLATE
