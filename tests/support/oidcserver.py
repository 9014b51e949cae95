"""D: An OpenID provider as a process of its own: django-oauth-toolkit, with one account and one client.

    python -m tests.support.oidcserver FOLDER [MOUNT]

It prints its address. Its pages are /login/ and those below /MOUNT/ (/o/). While it runs, POST /control/rotate makes
a new key (`keep`: the old one stays published), /control/max-age says for how long they count, /control/redirect where
the client lives, /control/issuer who it says that it is; the answer tells how often its keys were asked for.
"""

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command

from tests.support.jose import pem

USERNAME, PASSWORD, EMAIL = "ann", "a password of the provider", "ann@example.test"
CLIENT_ID, CLIENT_SECRET = "torana-client", "a secret of the client"
FORM = "<form method=post>{{ form.as_p }}<button type=submit>Sign in at the provider</button></form>"


def new_key() -> str:
    return pem(rsa.generate_private_key(65537, 2048))


def configure(folder: Path) -> None:
    """Settings of a small Django project; nothing of the gateway's."""
    settings.configure(
        SECRET_KEY="the provider's own",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="tests.support.oidcurls",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "provider.sqlite3"}},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        SESSION_COOKIE_NAME="provider_session",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        ("django.template.loaders.locmem.Loader", {"registration/login.html": FORM}),
                    ]
                },
            }
        ],
        LOGIN_URL="/login/",
        USE_TZ=True,
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": new_key(),
            "OAUTH2_VALIDATOR_CLASS": "tests.support.oidcurls.Validator",
            "SCOPES": {
                "openid": "who",
                "read": "reading",
                "write": "writing",
                "email": "mail",
                "profile": "name",
            },
            "PKCE_REQUIRED": False,
        },
    )
    django.setup()


def fill() -> None:
    """One account and one client, which asks nobody for consent."""
    from django.contrib.auth.models import User
    from oauth2_provider.models import get_application_model

    call_command("migrate", verbosity=0)
    User.objects.create_user(USERNAME, EMAIL, PASSWORD, first_name="Ann", last_name="Other")
    get_application_model().objects.create(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        algorithm="RS256",
        redirect_uris="http://client.test/callback",
        skip_authorization=True,
    )


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that it is called by
        pass


def main() -> None:
    """Serve until the process is ended."""
    configure(Path(sys.argv[1]))
    fill()
    from django.core.wsgi import get_wsgi_application

    with make_server("127.0.0.1", 0, get_wsgi_application(), _Server, _Quiet) as server:
        sys.stdout.write(f"provider on http://127.0.0.1:{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
