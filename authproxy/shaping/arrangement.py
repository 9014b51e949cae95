"""I: A route's own steps and shapers, in the order in which they act. A route has those that it uses, and no others.

    entry ─▶ (who calls, quotas) ─▶ checks ─▶ destination ─▶ upstream's answer ─▶ shapers ─▶ client

- `entry_steps`: what is decided before anybody asks who calls: preflights, addresses.
- `check_steps`: what a request must be, and what is made of it: its size where that is only watched,
  required headers, its body, transformations.
- `around`: what may answer in the destination's place: the cache.
- `shapers`: what is made of an answer before it goes on. A cache keeps it as the upstream gave it; compression is last.
"""

from authproxy.caching.cache import Cache
from authproxy.caching.destination import Caching
from authproxy.caching.filling import fill
from authproxy.relaying import Shaper
from authproxy.shaping import envelope
from authproxy.shaping.addresses import Addresses
from authproxy.shaping.compress import Compressing
from authproxy.shaping.cors import prepared
from authproxy.shaping.required import Required
from authproxy.shaping.sizewatch import SizeWatch
from authproxy.shaping.statusmap import StatusMap
from authproxy.shaping.templates import Rewriting
from authproxy.shaping.transform import RequestTransform, ResponseTransform
from authproxy.shaping.validating import Validating
from authproxy.steps import Destination, Step
from routing.snapshot import CompiledRoute


def entry_steps(route: CompiledRoute) -> tuple[Step, ...]:
    """In this order: CORS (preflights are answered before, see `Pipeline`), addresses."""
    steps: list[Step] = []
    if (cors := route.shapes.cors) is not None:
        steps.append(prepared(cors).step)
    if (addresses := route.shapes.addresses) is not None:
        steps.append(Addresses(addresses).step)
    return tuple(steps)


def check_steps(route: CompiledRoute) -> tuple[Step, ...]:
    """In this order: a size that is only watched, required headers, query and body, the request's transformation."""
    steps: list[Step] = []
    if route.watched_body is not None:
        steps.append(SizeWatch(route.watched_body).step)
    if (required := route.shapes.required_headers) is not None:
        steps.append(Required(required).step)
    if (validation := route.shapes.validation) is not None:
        steps.append(Validating(validation).step)
    if (transform := route.shapes.transform) is not None and transform.request is not None:
        steps.append(RequestTransform(transform.request, transform.max_body).step)
    if route.rewrite is not None and route.rewrite.is_templated:
        steps.append(Rewriting(route, route.rewrite).step)
    return tuple(steps)


def around(route: CompiledRoute, destination: Destination, cache: Cache) -> Destination:
    """The destination, with what stands around it."""
    if (policy := route.shapes.cache) is not None:
        in_parts = shapers(route) == (fill,)
        destination = Caching(route, policy, destination, cache, in_parts=in_parts).answer
    return destination


def shapers(route: CompiledRoute) -> tuple[Shaper, ...]:
    """In this order: storing in the cache, status map, transformation, envelope, compression."""
    found: list[Shaper] = []
    if route.shapes.cache is not None:
        found.append(fill)
    shapes = route.shapes
    if shapes.status_map:
        found.append(StatusMap(shapes.status_map).shape)
    if shapes.transform is not None and shapes.transform.response is not None:
        found.append(ResponseTransform(route, shapes.transform.response, shapes.transform.max_body).shape)
    if shapes.envelope:
        found.append(envelope.shape)
    if shapes.compress is not None:
        found.append(Compressing(shapes.compress).shape)
    return tuple(found)
