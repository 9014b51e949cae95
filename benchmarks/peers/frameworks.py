"""I: What one would write by hand: FastAPI and a Django async view, both on stock httpx."""

import sys

from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.peers.proxies import package_version
from benchmarks.processes import HOST


def _env(site: Site) -> dict[str, str]:
    return {"UPSTREAM": f"http://{HOST}:{site.upstream_port}"}


def _fastapi(site: Site) -> Launch:
    module = "benchmarks.peers.fastapi_app:app"
    options = ("--host", HOST, "--port", str(site.port), "--no-access-log", "--log-level", "warning")
    return Launch((sys.executable, "-m", "uvicorn", *options, module), _env(site))


def _django(site: Site) -> Launch:
    module = "benchmarks.peers.django_app:application"
    options = ("-b", HOST, "-p", str(site.port), "-v", "0")
    return Launch((sys.executable, "-m", "daphne", *options, module), _env(site))


def _versions(*packages: str) -> str:
    return ", ".join(f"{package} {package_version(package)}" for package in packages)


FASTAPI = Peer("FastAPI + httpx", _fastapi, lambda: _versions("fastapi", "httpx", "uvicorn"))
DJANGO = Peer("Django + httpx", _django, lambda: _versions("django", "httpx", "daphne"))
