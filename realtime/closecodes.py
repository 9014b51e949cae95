"""P: The codes with which `{API_PREFIX}/ws` closes connections, and what clients make of them (docs/realtime.md).

1000 to 2999 are the protocol's (RFC 6455 section 7.4.1), 4000 to 4999 the gateway's own.
"""

from typing import Final

GOING_AWAY: Final = 1001
"""Nothing was heard from the client for a long time. Reconnect."""
PROTOCOL_ERROR: Final = 1002
INVALID_DATA: Final = 1007
POLICY: Final = 1008
"""Too many messages that made no sense, or too many at all. Mend the client."""
TOO_BIG: Final = 1009
"""A message had more than LARGEST_MESSAGE bytes."""
SERVICE_RESTART: Final = 1012
"""The worker is leaving. Reconnect after the delay that `reconnect` named."""
CREDENTIALS_ENDED: Final = 4401
"""The token has expired or was revoked. Reconnect with another one."""
TOO_SLOW: Final = 4408
"""The client did not take what it subscribed to. Reconnect and resume, or subscribe to less."""
