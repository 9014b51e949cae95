"""P: All policies of one route that read or change requests and answers. A route that has none holds `PLAIN`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from routing.shapes.addresses import AddressPolicy, addresses_of
from routing.shapes.cache import CachePolicy, cache_of
from routing.shapes.compress import Compress, compress_of
from routing.shapes.cors import CorsPolicy, cors_of
from routing.shapes.headers_required import RequiredHeaders, required_headers_of
from routing.shapes.mirror import Mirror, mirror_of
from routing.shapes.statusmap import status_map_of
from routing.shapes.transform import Transform, transform_of
from routing.shapes.validation import Validation, validation_of
from routing.shapes.websocket import SocketPolicy, socket_policy_of

if TYPE_CHECKING:
    from routing.document.routes import RouteSpec


@dataclass(frozen=True, slots=True)
class Shapes:
    """What is None, empty or False, a route does not have."""

    required_headers: RequiredHeaders | None = None
    validation: Validation | None = None
    cors: CorsPolicy | None = None
    addresses: AddressPolicy | None = None
    cache: CachePolicy | None = None
    status_map: Mapping[int, int] = field(default_factory=dict)
    transform: Transform | None = None
    envelope: bool = False
    compress: Compress | None = None
    mirror: Mirror | None = None
    websocket: SocketPolicy | None = None


PLAIN = Shapes()


def shapes_of(spec: RouteSpec, *, cors: CorsPolicy | None = None) -> Shapes:
    """The compiled form of what a route says; raises ConfigurationInvalid for what does not compile.

    `cors` is the policy of routes that name none.
    """
    found = Shapes(
        required_headers=required_headers_of(spec),
        validation=validation_of(spec),
        cors=cors_of(spec.cors, spec.match.methods, cors),
        addresses=addresses_of(spec.ip),
        cache=cache_of(spec.cache),
        status_map=status_map_of(spec),
        transform=transform_of(spec),
        envelope=spec.envelope,
        compress=compress_of(spec),
        mirror=mirror_of(spec.mirror),
        websocket=socket_policy_of(spec.websocket),
    )
    return PLAIN if found == PLAIN else found
