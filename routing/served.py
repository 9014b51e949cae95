"""I: The snapshot that this process serves, for whoever compiles configurations beside it: pages of admin, and the API.

Very many routes take a second to compile; what a worker has of them already is not compiled again.
"""

from collections.abc import Callable
from dataclasses import replace

from routing.compiler import CompileOptions
from routing.snapshot import Snapshot

Read = Callable[[], Snapshot | None]
_bound: list[tuple[Read, CompileOptions]] = []


def bind(read: Read, options: CompileOptions) -> None:
    """This is how to find it, and what it is compiled by."""
    _bound[:] = [(read, options)]


def unbind(read: Read) -> None:
    """It is served no more."""
    if any(read == bound for bound, _ in _bound):
        _bound.clear()


def served(options: CompileOptions) -> Snapshot | None:
    """What is served, if somebody with these options would compile the same; hooks may attach what they like."""
    for read, theirs in _bound:
        bare = replace(theirs, prepare_route=options.prepare_route, prepare_service=options.prepare_service)
        if bare == options:
            return read()
    return None
