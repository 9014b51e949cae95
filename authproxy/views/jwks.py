"""D: `/.well-known/jwks.json`: the public keys with which anybody verifies the gateway's tokens (RFC 7517)."""

from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import signingkeys
from authproxy.keyschedule import LEAD_S
from authproxy.serializers import KeySet
from authproxy.views.base import Endpoint
from authproxy.views.documented import documented


class JwksView(Endpoint):
    """GET lists the keys; none for HS algorithms, whose keys are secret."""

    @documented("Public keys", tag="Keys", answers={200: KeySet}, errors=(), is_public=True)
    def get(self, request: Request) -> Response:
        """To be kept no longer than a new key waits before it signs."""
        headers = {"Cache-Control": f"public, max-age={LEAD_S:.0f}", "Access-Control-Allow-Origin": "*"}
        return Response(signingkeys.shared().ring_to_sign().public_jwks(), headers=headers)
