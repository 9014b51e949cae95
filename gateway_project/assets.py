"""D: Admin's styles and scripts, out of the installed packages."""

from contextlib import closing
from typing import Any

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware


class AssetMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # it has no types
    """Whitenoise that answers with whole files.

    Its own answers stream from synchronous files, which Django under ASGI gathers in a thread, and warns about.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        answer = static_file.get_response(request.method, request.META)
        content = b""
        if answer.file is not None:
            with closing(answer.file):
                content = answer.file.read()
        response = HttpResponse(content, status=int(answer.status))
        del response.headers["Content-Type"]  # the default one: the answer brings its own where it needs one
        for name, value in answer.headers:
            response.headers[name] = value
        return response
