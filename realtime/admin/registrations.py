"""D: Everything in real time that registers itself with admin; imported once the applications are ready."""

import realtime.admin.bus
import realtime.admin.livesockets  # noqa: F401
