"""A request on its way, without a pipeline around it."""

from collections.abc import Iterable
from typing import Any, cast

from authproxy import headers as fields
from authproxy.exchange import Exchange
from authproxy.forwarded import ForwardingFields
from authproxy.headers import Pair
from routing.paths import NormalPath, normalise
from tests.support.asgi import Recorder, http_scope, playback
from tests.support.gateway import document
from tests.support.gateway import route as written
from tests.support.snapshots import snapshot_of


def exchange(
    *,
    method: str = "GET",
    path: str = "/",
    headers: Iterable[Pair] = (),
    client: str = "192.0.2.1",
    send: Any = None,
    route: str = "r",
) -> Exchange:
    """One that has found its route, which answers by itself."""
    given = [(b"host", b"gateway.test"), *headers]
    snapshot = snapshot_of(document(written(route, respond={"status": 200})))
    made = Exchange(
        http_scope(method, path, headers=given, client=(client, 40000)),
        playback(),
        send or Recorder(),
        snapshot=snapshot,
        head=fields.read(given),
        started=0.0,
    )
    made.route = snapshot.routes[route]
    made.path = cast("NormalPath", normalise(path.partition("?")[0].encode()))
    made.origin = ForwardingFields().origin(peer=client, host=b"gateway.test", scheme="http", claimed=None)
    return made
