"""P: From a document to a snapshot, in small steps, reusing what did not change.

`routing.compilation` holds how entries are checked and reused; this is what others call.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from routing.compilation import Compilation
from routing.document.canonical import digest as digest_of
from routing.matching import build_index
from routing.reserved import reserved_routes
from routing.snapshot import CompiledProvider, CompiledRoute, CompiledService, Snapshot
from routing.traffic import NO_DEFAULTS, TrafficDefaults

Raw = Mapping[str, Any]


def _attach_nothing(_: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """What compiling takes from outside the document.

    The two hooks attach what other layers need; their results become `plan` and `runtime`.
    """

    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_prefix: str = "/api/v1"
    service_timeout_s: float = 30.0
    traffic: TrafficDefaults = NO_DEFAULTS
    providers: tuple[CompiledProvider, ...] = ()  # beside those of the document
    read_secret: Callable[[str], str | None] = field(
        default=_attach_nothing, repr=False
    )  # from a file's path
    prepare_route: Callable[[CompiledRoute], Any] = field(default=_attach_nothing, repr=False)
    prepare_service: Callable[[CompiledService], Any] = field(default=_attach_nothing, repr=False)


def compile_snapshot(
    raw: Raw,
    *,
    revision: int,
    options: CompileOptions,
    previous: Snapshot | None = None,
    digest: str | None = None,
) -> Snapshot:
    """`compile_steps` at one go."""
    steps = compile_steps(raw, revision=revision, options=options, previous=previous, digest=digest)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            snapshot: Snapshot = done.value
            return snapshot


def compile_steps(
    raw: Raw,
    *,
    revision: int,
    options: CompileOptions,
    previous: Snapshot | None = None,
    digest: str | None = None,
) -> Generator[None, None, Snapshot]:
    """Compile in steps of a few milliseconds; the caller may do something else between two of them.

    `digest` spares computing it when it is known. Raises ConfigurationInvalid with every problem.
    """
    compilation = Compilation(raw, options, previous)
    yield from compilation.run()
    index = yield from build_index(compilation.routes.values(), reserved_routes(options.api_prefix))
    return Snapshot(
        revision=revision,
        digest=digest_of(raw) if digest is None else digest,
        services=compilation.services,
        routes=compilation.routes,
        disabled=compilation.disabled,
        index=index,
        defaults=compilation.defaults,
        roles=compilation.access.roles,
        default_roles=compilation.access.default_roles,
        quotas=compilation.quotas,
        plans=compilation.plans,
        providers=compilation.access.providers,
        topics=compilation.topics,
    )
