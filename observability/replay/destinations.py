"""P: Whether an admitted request would end somewhere else: by another route, at another service, as another request."""

from dataclasses import dataclass
from typing import Final

from observability.replay.fates import Fate
from observability.replay.recorded import Recorded
from observability.replay.sides import Pair
from routing.aggregation import Aggregate
from routing.snapshot import CompiledRoute, Grpc, Publish, Redirect, Respond, service_of, services_of
from routing.splitting import Split, settled

CHANCE: Final = "to which of {} it would go: that is left to chance"
COOKIE: Final = "its cookie, by which route {} chooses a service"
_SPLITTING: Final = b"cookie"


@dataclass(frozen=True, slots=True)
class Where:
    """What takes the request on each side, in words; `unknown`: what one would have to know."""

    before: str = ""
    after: str = ""
    differences: tuple[str, ...] = ()
    detail: str = ""
    """Of this request alone."""
    unknown: str = ""


def where(recorded: Recorded, before: Fate, after: Fate, pair: Pair) -> Where:
    """`differences` is empty where nothing would be noticed."""
    here, there = before.route, after.route
    if here is None or there is None:
        return Where(_end(before), _end(after), () if before.builtin == after.builtin else ("another end",))
    mine = _went(recorded, here, pair)
    yours = _will_go(recorded, here, there, mine)
    if isinstance(yours, str):
        return Where(unknown=yours)
    if isinstance(here.destination, Split) and not mine and set(yours) & set(here.destination.services):
        return Where(unknown=CHANCE.format(" and ".join(here.destination.services)))
    shown = (mine or _end(before), " or ".join(yours) or _end(after))
    differences, detail = [], ""
    if here.name != there.name:
        differences.append(f"by route {there.name} instead of {here.name}")
    is_moved = bool(yours or mine) and mine not in yours
    if is_moved or (not mine and not yours and shown[0] != shown[1]):
        differences.append(f"to {shown[1]} instead of {shown[0]}")
    elif before.answer != after.answer:
        differences.append("another answer")
        detail = _answer(after)
    elif isinstance(there.destination, Aggregate) and here.destination != there.destination:
        differences.append("put together of other parts")
    elif before.sent and after.sent and before.sent != after.sent:
        differences.append("as another request")
        detail = f"{after.sent} instead of {before.sent}"
    else:
        differences += _at_target(recorded, mine, pair)
    return Where(*shown, tuple(differences), detail)


def _went(recorded: Recorded, route: CompiledRoute, pair: Pair) -> str:
    """The service that it went to; of several, the one that was seen."""
    if isinstance(route.destination, Split):
        is_seen = recorded.service in route.destination.services and recorded.route == route.name
        return recorded.service if is_seen else ""
    return service_of(route.destination) or ""


def _will_go(
    recorded: Recorded, here: CompiledRoute, there: CompiledRoute, mine: str
) -> tuple[str, ...] | str:
    """The service that it would go to; several, where it is none of them now; or what one would have to know."""
    split = there.destination
    if not isinstance(split, Split):
        name = service_of(split)
        return () if name is None else (name,)
    if split == here.destination:
        return (mine,) if mine else ()
    reads = (split.sticky == "cookie" and split.cookie) or split.forced_by == "cookie"
    if reads and _SPLITTING in recorded.names:
        return COOKIE.format(there.name)
    if split.forced_by == "header" and recorded.lacks_field(split.forced_name, value=True):
        return (
            f"the header {split.forced_name.decode('latin-1')}, by which route {there.name} chooses a service"
        )
    if split.canary is None:
        caller = recorded.caller
        who = caller.consumer if caller is not None else recorded.request.address
        found = settled(split, recorded.request.headers, who.encode("utf-8", "surrogatepass"))
        if found is not None:
            return (found[0].service,)
    possible = tuple(share.service for share in split.shares if share.weight > 0 or split.canary)
    if len(possible) > 1 and (not mine or mine in possible):
        return CHANCE.format(" and ".join(possible))
    return possible


def _at_target(recorded: Recorded, service: str, pair: Pair) -> list[str]:
    """The same service, but not at the target that was seen."""
    mine = pair.before.snapshot.services.get(service)
    yours = pair.after.snapshot.services.get(service)
    if mine is None or yours is None or not recorded.target:
        return []
    left = {target.url for target in yours.targets}
    if recorded.target in {target.url for target in mine.targets} and recorded.target not in left:
        return [f"to another target of {service}: {recorded.target} is none any more"]
    return []


def _end(fate: Fate) -> str:
    """Where it ends, if at no single service."""
    if fate.route is None:
        return "the gateway itself"
    match fate.route.destination:
        case Redirect(status=status):
            return f"a redirect ({status})"
        case Respond(status=status):
            return f"the route's own answer ({status})"
        case Publish(topic=topic):
            return f"topic {topic}"
        case Aggregate() | Split() as several:
            joined = " and " if isinstance(several, Aggregate) else " or "
            return joined.join(services_of(several))
        case Grpc(upstream=service):
            return service
    return fate.service


def _answer(fate: Fate) -> str:
    answer = fate.answer or {}
    return " ".join(str(answer[name]) for name in ("status", "location", "topic") if answer.get(name))
