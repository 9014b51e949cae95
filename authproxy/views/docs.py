"""D: `/docs`: the gateway's own API, as an OpenAPI document and as a page to try it on, without any other site."""

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

# Swagger UI sets style attributes and draws its icons from data URLs; its scripts are files of ours.
_POLICY = {
    "default-src": [SELF],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
}

document = SpectacularJSONAPIView.as_view()
page = csp_replace(_POLICY)(SpectacularSwaggerSplitView.as_view(url="/docs/openapi.json"))
