"""I: The hub of this process, for code that the gateway does not hand one (Django's views and admin)."""

from realtime.hub.hub import Hub

_bound: list[Hub] = []


def bind(hub: Hub) -> None:
    """By the gateway, when it starts."""
    _bound[:] = [hub]


def unbind(hub: Hub) -> None:
    """When it stops; nothing if another one took its place."""
    if _bound and _bound[0] is hub:
        _bound.clear()


def current() -> Hub:
    """Of this process. Raises LookupError where there is none (a command, a node without realtime)."""
    if not _bound:
        raise LookupError("this process has no hub")
    return _bound[0]
