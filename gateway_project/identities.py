"""D: Everything that says who calls, put together for one worker.

database ──▶ changes, signing keys, API keys and sessions ─┐
identity providers ──▶ their published keys ───────────────┼──▶ Authenticator ──▶ Gatekeeper ──▶ routes
VAR_DIR ──▶ signing keys and changes, without a database ──┘
"""

import asyncio
from collections.abc import Callable

from authproxy import security, signingkeys
from authproxy.admission import Gatekeeper
from authproxy.authenticate import Authenticator, NoStore
from authproxy.changefeed import ChangeFeed, recall
from authproxy.changes import Changes
from authproxy.eventlog import EventLog
from authproxy.fetching import DocumentFetcher
from authproxy.grants import Roles
from authproxy.identity import Identity
from authproxy.identitystore import IdentityStore
from authproxy.keptchanges import KeptChanges
from authproxy.keysets import KeySets
from authproxy.lastused import LastUsed
from authproxy.minting import Mint
from authproxy.verifier import TokenVerifier
from gateway_project.config import GatewayConfig
from resilience.clock import monotonic, wall_clock
from routing.snapshot import Snapshot


class Identities:
    """One worker's knowledge of callers. `gatekeeper` answers from the start; `start` and `stop` frame its sources."""

    def __init__(self, config: GatewayConfig, *, has_database: bool) -> None:
        self._keys = signingkeys.shared()
        self._key_sets = KeySets(DocumentFetcher(), clock=monotonic)
        self._mint = Mint(issuer=config.service_name)
        self._changes = Changes()
        self._is_following = False
        pepper = config.credential_pepper.encode()
        self._lifetime_s = config.access_token_expire_minutes * 60.0
        self._kept = KeptChanges(config.var_dir)
        self._rows = self._rows_of(pepper) if has_database else None
        verifier = TokenVerifier(
            issuer=config.service_name,
            keyring=self._keys.ring,
            key_sets=self._key_sets,
            wall_clock=wall_clock,
        )
        authenticator = Authenticator(
            verifier=verifier,
            store=self._rows.store if self._rows else NoStore(),
            changes=self._changes,
            pepper=pepper,
            wall_clock=wall_clock,
        )
        self._key_sets.subscribe(authenticator.forget_provided)
        self.gatekeeper = Gatekeeper(
            authenticator,
            realm=config.service_name,
            pepper=pepper,
            mint=self._minted,
            report=security.emit,
            is_on=config.enable_authentication,
        )

    @property
    def changes(self) -> Changes:
        """What ends identities."""
        return self._changes

    @property
    def queues(self) -> dict[str, Callable[[], int]]:
        """How much was let go for want of room or could not be kept, by what it was. Any thread may ask."""
        rows = self._rows
        if rows is None:
            return {}
        return {
            "last_used": lambda: rows.last_used.dropped,
            "security_events": lambda: rows.events.merged + rows.events.lost,
        }

    async def start(self, *, redis_url: str | None = None) -> None:
        """Load what is known of keys and changes; where the database does not answer, what VAR_DIR has."""
        await asyncio.to_thread(self._keys.start_without_database)
        if self._rows is not None:
            self._is_following = True
            await self._rows.start(redis_url)
        else:
            kept = await asyncio.to_thread(self._kept.load)
            recall(self._changes, kept, now=wall_clock(), access_lifetime_s=self._lifetime_s)

    async def stop(self) -> None:
        """Stop asking, and write what is still to be written."""
        await self._key_sets.aclose()
        if self._rows is not None and self._is_following:
            await self._rows.stop()

    def reconcile(self, snapshot: Snapshot) -> None:
        """After a swap: the providers may be others."""
        self._key_sets.reconcile(snapshot.providers)

    def _rows_of(self, pepper: bytes) -> "_Rows":
        feed = ChangeFeed(
            self._changes,
            access_lifetime_s=self._lifetime_s,
            reload_keys=self._keys.load,
            kept=self._kept,
        )
        return _Rows(feed, self._lifetime_s, pepper)

    def _minted(self, identity: Identity, roles: Roles, service: str) -> bytes | None:
        return self._mint.mint(identity, roles, service, keyring=self._keys.ring(), now=wall_clock())


class _Rows:
    """What reads and writes the database, each in a thread of its own."""

    def __init__(self, feed: ChangeFeed, lifetime_s: float, pepper: bytes) -> None:
        self.feed = feed
        self.last_used = LastUsed(access_lifetime_s=lifetime_s)
        self.store = IdentityStore(pepper=pepper, last_used=self.last_used)
        self.events = EventLog()

    async def start(self, redis_url: str | None) -> None:
        self.feed.listen(redis_url=redis_url)
        self.store.start()
        self.last_used.start()
        self.events.start()
        await self.feed.start()

    async def stop(self) -> None:
        await asyncio.gather(self.feed.stop(), self.store.stop(), self.last_used.stop(), self.events.stop())
