"""D: Everything of access that registers itself with admin; imported once the applications are ready."""

import authproxy.admin.consumers
import authproxy.admin.counts
import authproxy.admin.events
import authproxy.admin.keys
import authproxy.admin.limited
import authproxy.admin.sessions
import authproxy.admin.signing  # noqa: F401
