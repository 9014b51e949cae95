"""D: Django settings, taken from the configuration; no logic of their own."""

import os
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway_project.config import load_config

CONFIG = load_config(os.environ)
CONFIG.var_dir.mkdir(parents=True, exist_ok=True)

SECRET_KEY = CONFIG.secret_key
DEBUG = CONFIG.debug
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "gateway_project.urls"
ASGI_APPLICATION = "gateway_project.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "daphne",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "channels",
    "csp",
    "gateway_project",
    "observability",
    "realtime",
    "authproxy",
    "routing",
    "resilience",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

_url = urlsplit(CONFIG.database_url)
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(_url.path.lstrip("/")),
        "HOST": _url.hostname,
        "PORT": _url.port or 5432,
        "USER": _url.username,
        "PASSWORD": _url.password,
        "TEST": {"NAME": f"test_torana_{os.getpid()}"},
    }
    if _url.scheme.startswith("postgres")
    else {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": CONFIG.var_dir / "torana.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON",
        },
        "TEST": {"NAME": CONFIG.var_dir / f"test-{os.getpid()}.sqlite3"},
    }
}

USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/admin/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
