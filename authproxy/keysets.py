"""I: The keys of every identity provider, across revisions: published ones by their address, shared ones by value."""

from collections.abc import Callable, Iterable

from authproxy.keyset import Fetch, KeySet, Limits
from authproxy.signatures import Key, UnusableKey, secret_key
from routing.snapshot import CompiledProvider


class KeySets:
    """Every provider's keys, by their address: they stay while any revision names it."""

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float], limits: Limits = Limits()) -> None:  # noqa: B008
        self._fetch = fetch
        self._clock = clock
        self._limits = limits
        self._listeners: list[Callable[[], None]] = []
        self._sets: dict[tuple[str, bool], KeySet] = {}
        self._secrets: dict[tuple[str, frozenset[str]], tuple[Key, ...]] = {}

    def published(self, provider: CompiledProvider) -> KeySet | None:
        """The provider's set of keys; None where it shares a secret instead."""
        address = _address(provider)
        if address is None:
            return None
        found = self._sets.get(address)
        if found is None:
            url, is_discovery = address
            found = self._sets[address] = KeySet(
                url,
                is_discovery=is_discovery,
                fetch=self._fetch,
                limits=self._limits,
                clock=self._clock,
                withdrawn=self._tell,
            )
        return found

    def shared(self, provider: CompiledProvider) -> tuple[Key, ...]:
        """The keys that its shared secret makes, one for each of its algorithms; none where it has no secret."""
        name = (provider.secret or "", provider.algorithms)
        found = self._secrets.get(name)
        if found is None:
            found = self._secrets[name] = tuple(_secret_keys(provider))
        return found

    def reconcile(self, providers: Iterable[CompiledProvider]) -> None:
        """After a swap: begin to fetch what is new, forget what no provider names. Needs a running loop."""
        named = list(providers)
        addresses = {_address(provider) for provider in named}
        for address in self._sets.keys() - addresses:
            self._sets.pop(address).close()
        self._secrets.clear()
        for provider in named:
            if (keys := self.published(provider)) is not None:
                keys.prefetch()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Calls `listener` when a provider has withdrawn a key: what was verified before may not hold any more."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    async def aclose(self) -> None:
        """Stop every fetch: the process is about to end."""
        for keys in self._sets.values():
            keys.close()
        self._sets.clear()


def _address(provider: CompiledProvider) -> tuple[str, bool] | None:
    if provider.jwks_url is not None:
        return provider.jwks_url, False
    return (provider.discovery_url, True) if provider.discovery_url is not None else None


def _secret_keys(provider: CompiledProvider) -> Iterable[Key]:
    for algorithm in sorted(provider.algorithms):
        try:
            yield secret_key(provider.secret or "", algorithm)
        except UnusableKey:
            continue
