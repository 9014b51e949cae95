"""P: What operators have purged, by number: an answer holds if nothing that is about it came after it was asked for.

Numbers are those of the orders' rows. A worker that does not know the newest orders yet keeps answers under an older
number, so that they are found out when it does: no clocks are compared.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple

from authproxy.caching.keys import URL
from routing.purgeurls import Kind

MOST: Final = 4096


class Purge(NamedTuple):
    """One order. `value` is a route's name, a tag, or a URL in the form of `routing.purgeurls`; empty for all."""

    number: int
    kind: Kind
    value: str = ""


class Purges:
    """The newest orders, at most MOST subjects; of answers from before the others nothing is trusted."""

    def __init__(self) -> None:
        self.newest = 0
        self._floor = 0
        self._numbers: dict[tuple[str, str], int] = {}

    def add(self, orders: Iterable[Purge]) -> None:
        """In any order, some of them perhaps twice."""
        for order in orders:
            self.newest = max(self.newest, order.number)
            if order.kind == "all":
                self.forget_before(order.number)
                continue
            subject = (order.kind, order.value)
            self._numbers[subject] = max(order.number, self._numbers.get(subject, 0))
        if len(self._numbers) > MOST:
            numbers = sorted(self._numbers.values())
            self.forget_before(numbers[len(numbers) // 2])

    def forget_before(self, number: int) -> None:
        """Whatever was asked for before that order is purged."""
        self.newest = max(self.newest, number)
        self._floor = max(self._floor, number)
        self._numbers = {key: value for key, value in self._numbers.items() if value > self._floor}

    def holds(self, number: int, *, route: str, tags: Collection[str], url: URL) -> bool:
        """Whether an answer is still to be served that was asked for when `number` was the newest order."""
        if (
            number < self._floor or number > self.newest
        ):  # the latter: of another database, or of a better informed
            return False
        if not self._numbers or number == self.newest:
            return True
        whole, path = url_forms(url)
        subjects = [("route", route), ("url", whole), ("url", path), *(("tag", tag) for tag in tags)]
        return all(self._numbers.get(subject, 0) <= number for subject in subjects)


def meant_by(orders: Sequence[Purge]) -> Callable[[URL, str, Collection[str]], bool]:
    """Whether any of the orders is about an answer, by its URL, route and tags; quick, as it is asked of thousands."""
    routes, tags, urls = (
        {each.value for each in orders if each.kind == kind} for kind in ("route", "tag", "url")
    )
    if any(each.kind == "all" for each in orders):
        return lambda _url, _route, _tags: True

    def is_meant(url: URL, route: str, own: Collection[str]) -> bool:
        if route in routes or (own and not tags.isdisjoint(own)):
            return True
        return bool(urls) and not urls.isdisjoint(url_forms(url))

    return is_meant


def url_forms(url: URL) -> tuple[str, str]:
    """A URL, and its path with the query, as `canonical` writes them."""
    scheme, host, path, query = url
    rest = (path + (b"?" + query if query else b"")).decode("latin-1")
    return f"{scheme}://{host.decode('latin-1')}{rest}", rest
