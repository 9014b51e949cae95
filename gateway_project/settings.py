"""D: Django's settings, taken from the configuration; no logic of their own.

Django answers admin, the control API and the other built-in endpoints. Routed traffic never comes here.
"""

import os
import sys
from typing import Any

from django.conf import global_settings

from gateway_project import csp
from gateway_project.caches import django_caches
from gateway_project.config import BASE_DIR, PACKAGE_DIR, load_config
from gateway_project.config import MANAGE as MANAGE  # read by what names a command
from gateway_project.connections import django_database
from gateway_project.mailserver import mail_settings
from gateway_project.rest import (  # noqa: F401 - REST framework reads them
    REST_FRAMEWORK,
    simple_jwt,
    spectacular,
)
from gateway_project.signin.options import LOGIN_PATH, SESSION_AGE_S, allauth_settings
from gateway_project.unfold import FORMAT_MODULE_PATH, UNFOLD  # noqa: F401 - admin reads them

CONFIG = load_config(os.environ)

SECRET_KEY = str(CONFIG.secret_key)
DEBUG = CONFIG.debug
ALLOWED_HOSTS = list(CONFIG.allowed_hosts)

ROOT_URLCONF = "gateway_project.urls"
ASGI_APPLICATION = "gateway_project.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    # Before staticfiles: its runserver serves the whole ASGI composition. Nothing else has use for it, and it would
    # bring Twisted, 28 MB, into every worker and command.
    *(["daphne"] if sys.argv[1:2] == ["runserver"] else []),
    "unfold",  # before admin: its templates and form classes take the place of admin's
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",  # before staticfiles: whitenoise serves them in development too
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # allauth's pages write times with it
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "csp",
    "gateway_project",
    "observability",
    "realtime",
    "authproxy",
    "routing",
    "resilience",
]

SECURITY_HEADER_MIDDLEWARE = [
    "gateway_project.csp.PolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    *(SECURITY_HEADER_MIDDLEWARE if CONFIG.security_headers else []),
    "gateway_project.assets.AssetMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "gateway_project.originating.OriginMiddleware",
    "gateway_project.errors.OutageMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [
            PACKAGE_DIR / "signin/templates",  # before allauth's own
            PACKAGE_DIR / "templates",  # before unfold's own
        ],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gateway_project.signin.looks.branding",
            ],
            "libraries": {"signin": "gateway_project.signin.tags"},
        },
    }
]

DATABASES = {"default": django_database(CONFIG.database, test_suffix=str(os.getpid()))}

CACHES = django_caches(CONFIG.redis, service=CONFIG.service_name)

PASSWORD_HASHERS = ["gateway_project.hashing.PatientHasher", *global_settings.PASSWORD_HASHERS[1:]]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = LOGOUT_REDIRECT_URL = LOGIN_PATH
LOGIN_REDIRECT_URL = "/admin/"
globals().update(allauth_settings(CONFIG))

globals().update(mail_settings(CONFIG.email_url, CONFIG.email_from))

SIMPLE_JWT = simple_jwt(CONFIG)
SPECTACULAR_SETTINGS = spectacular(CONFIG)

LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"

# Assets lie under /admin/, a path that routes cannot take; they are served from the packages, unless an image has
# collected them.
STATIC_URL = "/admin/static/"
STATICFILES_DIRS = [
    ("realtime", BASE_DIR / "examples" / "realtime")
]  # the client that admin's live page uses, too
STATIC_ROOT = BASE_DIR / "static" if (BASE_DIR / "static").is_dir() else None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_AUTOREFRESH = CONFIG.debug
WHITENOISE_ALLOW_ALL_ORIGINS = False

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIG.is_deployed
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = SESSION_AGE_S
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "torana_admin"  # "torana_session" is the cookie of those who call the API
CSRF_COOKIE_NAME = "torana_csrf"

CONTENT_SECURITY_POLICY = {"DIRECTIVES": csp.STRICT}
SECURE_SSL_REDIRECT = CONFIG.enforce_https == "redirect"
SECURE_REDIRECT_EXEMPT = [r"^health(/|$)"]  # probes speak plain HTTP to the process itself
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if CONFIG.security_headers and CONFIG.promises_https else 0
SECURE_CONTENT_TYPE_NOSNIFF = CONFIG.security_headers
SECURE_REFERRER_POLICY = "same-origin" if CONFIG.security_headers else None
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin" if CONFIG.security_headers else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a service is duplicated with all of its targets, seven fields each

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {"()": "observability.applog.JsonFormatter"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": CONFIG.log_format},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": CONFIG.log_level},
    "loggers": {
        # Django's own handlers would print each line twice, and mail it to nobody.
        "django": {"handlers": [], "level": CONFIG.log_level, "propagate": True},
        # What a client did wrong is not ours to log, once for each request.
        "django.request": {"level": "ERROR"},
        # Writes down addresses of identity providers, which may hold secrets.
        "httpx": {"level": "WARNING"},
        # A Host field that is not allowed is answered 400; a traceback for each would let anybody fill the log.
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
    },
}
