"""I: The project as a process that waits has imported it, and what a fork of it does as a process anew would.

Importing reads settings. Which ones, and what they were, is noted. A fork takes its settings from its own environment;
where one of those noted is another there, it becomes the program that imports everything anew.
"""

import contextvars
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gateway_project.server import children
from gateway_project.server.forks import Forked, can_fork, fork, show_as
from gateway_project.server.spec import WorkerSpec

ROOT: Final = Path(__file__).resolve().parents[2]
MANAGE: Final = str(ROOT / "manage.py")
PACKAGES: Final = ("resilience", "routing", "authproxy", "realtime", "observability", "gateway_project")
SETTINGS: Final = "gateway_project.settings"
LATE: Final = frozenset({"asgi", "settings", "migrations", "urls"})
"""Modules that are made of settings, or that few need."""
LIBRARIES: Final = (
    *("allauth.account.middleware", "allauth.account.views", "allauth.mfa.urls"),
    *("django.contrib.auth.middleware", "django.contrib.sessions.backends.db", "django.core.asgi"),
    *("django.db.backends.postgresql.base", "django.db.models.sql.compiler"),
    *("django.middleware.common", "django.middleware.security"),
)
"""What Django imports of them once it is asked something."""
WORKER: Final = "torana-worker"
"""What the system calls a worker that is a fork."""
TAKEN_ANEW: Final = frozenset({"LOGGING", "DATABASES", "SECRET_KEY"})
"""Settings that importing reads, and that a fork does not keep: see `anew`, `_set_up` and Django's own setup."""
LOOKED_UP: Final = {"SIMPLE_JWT": ("ALGORITHM", "ISSUER"), "SPECTACULAR_SETTINGS": ("TITLE",)}
"""What libraries look up in their settings whenever they need it; of the rest they make classes."""
_MISSING: Final = object()
_noted: dict[str, Any] = {}


class _Noting:
    """Settings that note what is read of them."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._settings, name, _MISSING)
        if name not in TAKEN_ANEW:
            _noted[name] = _made_of(name, value)
        if value is _MISSING:
            raise AttributeError(name)
        return value


def import_all() -> None:
    """Imports the project with nobody's settings. Workers are forks of the process that starts them from now on."""
    environ = {**os.environ}
    with tempfile.TemporaryDirectory() as folder:
        os.environ.clear()
        os.environ |= {"DJANGO_SETTINGS_MODULE": SETTINGS, "VAR_DIR": folder, "REDIS_URL": "none"}
        import django
        from django.conf import settings

        settings._setup()
        settings._wrapped = _Noting(settings._wrapped)
        django.setup()
        for name in (*modules(), *LIBRARIES):
            importlib.import_module(name)
    os.environ.clear()
    os.environ.update(environ)
    children._program = _forked


def modules() -> Iterator[str]:
    """The project's, but those that are LATE."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            *folders, name = file.relative_to(ROOT).with_suffix("").parts
            if not LATE & {*folders, name} and not name.endswith(("urls", "__main__")):
                yield ".".join(folders if name == "__init__" else (*folders, name))


def anew(program: Sequence[str] | None) -> None:
    """In a fork, as in a process that begins: it knows no settings, and has opened nothing.

    `program` is what it becomes if it cannot have its settings, the arguments of Python; None: that fails.
    """
    from django.conf import LazySettings, empty, settings
    from django.core.cache import caches
    from django.db import connections

    for handler in (caches, connections):
        handler.__dict__.pop("settings", None)
        handler.__init__()
    LazySettings._setup = lambda self, name=None: _set_up(self, program)
    sys.modules.pop(SETTINGS, None)
    settings._wrapped = empty


def _set_up(lazy: Any, program: Sequence[str] | None) -> None:
    """Reads this process's settings, as Django does when the first is asked for."""
    from django.conf import Settings
    from drf_spectacular.settings import spectacular_settings
    from rest_framework_simplejwt.settings import DEFAULTS, api_settings

    found = lazy._wrapped = Settings(os.environ["DJANGO_SETTINGS_MODULE"])
    others = [
        name for name, value in _noted.items() if _made_of(name, getattr(found, name, _MISSING)) != value
    ]
    if others:
        assert program is not None, f"a fork cannot have {others}"
        os.execve(sys.executable, [sys.executable, *program], os.environ)
    DEFAULTS["SIGNING_KEY"] = found.SECRET_KEY
    for library, name in ((api_settings, "SIMPLE_JWT"), (spectacular_settings, "SPECTACULAR_SETTINGS")):
        library.reload()
        library._user_settings = getattr(found, name)


def _made_of(name: str, value: Any) -> Any:
    """What importing may make something of, of a setting."""
    if name not in LOOKED_UP or not isinstance(value, dict):
        return value
    return {key: each for key, each in value.items() if key not in LOOKED_UP[name]}


def _forked(spec: WorkerSpec, passed: Sequence[int], environ: Mapping[str, str]) -> Forked:
    """A worker, in place of a program of its own."""
    assert can_fork()
    path = os.pathsep.join(part for part in (str(ROOT), environ.get("PYTHONPATH", "")) if part)
    return fork(lambda: _work(spec), keep=passed, environ={**environ, "PYTHONPATH": path})


def _work(spec: WorkerSpec) -> int:
    from gateway_project.server.worker import __file__ as file
    from gateway_project.server.worker import work
    from routing.notify import bind_redis

    sys.argv = [str(file), spec.to_json()]
    anew(["-P", "-m", "gateway_project.server.worker", *sys.argv[1:]])
    bind_redis(None)  # the command that supervises has
    show_as(WORKER)
    return contextvars.Context().run(work, spec)
