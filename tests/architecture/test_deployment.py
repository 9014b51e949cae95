"""What `deploy/` brings for Compose, Kubernetes and systemd: well-formed, and true to the image and the gateway."""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from gateway_project.config import load_config, table
from gateway_project.management.commands.gateway import SUBCOMMANDS
from routing.reserved import reserved_routes
from tests.support.dockerfile import stages_of
from tests.support.source import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
BASE = DEPLOY / "kubernetes" / "base"
PRODUCTION = DEPLOY / "kubernetes" / "overlays" / "production"
UNIT = DEPLOY / "systemd" / "torana.service"
KUBERNETES = "1.33"
ON_DATA_NODES = {
    "/health",
    "/metrics",
    "/monitoring",
    "/status",
    "/api/v1/health",
    "/api/v1/ws",
    "/api/v1/events",
}
SECRETS = {
    "SECRET_KEY": "k7Vq2-no-placeholder-and-long-enough-for-production-9fWz",
    "DATABASE_URL": "postgres://torana:secret@postgres/torana",
    "REDIS_URL": "redis://redis:6379/0",
    "METRICS_TOKEN": "a-token-that-only-prometheus-has",
}


def known_variables() -> set[str]:
    return {name for row in table().values() for name in row.names}


def assert_command_exists(words: list[str]) -> None:
    """`python manage.py …` as the image has it; the gateway's own commands take these words."""
    assert words[0].endswith("python")
    assert words[1] == "manage.py"
    if words[2] == "gateway":
        subparsers = (parser := argparse.ArgumentParser()).add_subparsers()
        for module in SUBCOMMANDS:
            module.add(subparsers)
        parser.parse_args(words[3:])
    else:
        assert words[2] == "migrate"


def test_compose_runs_the_image() -> None:
    """Two gateways, hardened as the image allows; the tables first; commands and variables that exist."""
    services = COMPOSE["services"]
    assert services["gateway"]["deploy"]["replicas"] == 2
    for name in ("gateway", "migrate"):
        service = services[name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert set(service["environment"]) <= known_variables()
        assert_command_exists(service["command"])
    assert services["gateway"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["gateway"]["volumes"] == stages_of((ROOT / "Dockerfile").read_text())[-1].all_of("VOLUME")


def test_compose_is_whole() -> None:
    """What a service names is there: networks, volumes, files, services; images have a tag; stores are inside."""
    for service in COMPOSE["services"].values():
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        assert set(service.get("depends_on", {})) <= set(COMPOSE["services"])
        assert re.search(r":[\w.${}:-]+$", service["image"])
        assert {each["source"] for each in service.get("configs", ())} <= set(COMPOSE["configs"])
        named = {volume.split(":")[0] for volume in service.get("volumes", ()) if ":" in volume}
        assert named <= set(COMPOSE["volumes"])
    assert all((DEPLOY / each["file"]).is_file() for each in COMPOSE["configs"].values())
    assert not any("ports" in COMPOSE["services"][name] for name in ("postgres", "redis", "gateway"))


def test_traefik_leaves_long_uploads_alone() -> None:
    """By itself it ends a request whose body has not arrived within a minute."""
    [said] = [each for each in COMPOSE["services"]["traefik"]["command"] if "readTimeout" in each]
    assert said == "--entryPoints.websecure.transport.respondingTimeouts.readTimeout=1h"


def test_names_can_be_asked_for() -> None:
    """Of the cluster's DNS, also where each node has a cache of its own at an address that is otherwise closed."""
    [policy] = [each for each in manifests() if each["metadata"]["name"] == "torana-targets"]
    anywhere, names = policy["spec"]["egress"]
    closed = {each for peer in anywhere["to"] for each in peer["ipBlock"]["except"]}
    assert {"169.254.0.0/16", "fe80::/10"} <= closed
    assert {"ipBlock": {"cidr": "169.254.20.10/32"}} in names["to"]
    assert {each["port"] for each in names["ports"]} == {53}


def test_compose_asks_for_each_secret() -> None:
    """Each variable that it reads is in the example of its environment, empty; passwords have no default."""
    text = (DEPLOY / "compose.yaml").read_text()
    read = set(re.findall(r"\$\{(\w+)[:}]", text)) - {"TORANA_VERSION"}
    offered = dict(
        line.split("=", 1)
        for line in (DEPLOY / "compose.env.example").read_text().splitlines()
        if not line.startswith("#")
    )
    assert set(offered) == read
    assert set(offered.values()) == {""}
    assert set(re.findall(r"\$\{(\w+):-", text)) == {"TORANA_VERSION", "TORANA_API_KEY"}


def test_compose_environment_is_accepted() -> None:
    """By the gateway in production, once the variables are filled in."""
    filled = {"HOST": "api.example.com", "POSTGRES_PASSWORD": "x", **SECRETS}
    found = COMPOSE["services"]["gateway"]["environment"]
    env = {
        name: re.sub(r"\$\{(\w+)[^}]*\}", lambda match: filled[match[1]], str(value))
        for name, value in found.items()
    }
    config = load_config(env)
    assert (config.environment, config.database.engine) == ("production", "postgresql")


def documents(*files: Path) -> Iterator[dict[str, Any]]:
    for file in files:
        yield from yaml.safe_load_all(file.read_text())


def manifests() -> list[dict[str, Any]]:
    files = [*BASE.glob("*.yaml"), *PRODUCTION.glob("*.yaml")]
    return [each for each in documents(*sorted(files)) if each["kind"] != "Kustomization"]


def containers() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each with its pod."""
    for each in manifests():
        if each["kind"] in ("Deployment", "Job"):
            pod = each["spec"]["template"]["spec"]
            yield from (
                (pod, container) for container in [*pod.get("initContainers", ()), *pod["containers"]]
            )


def test_manifests_fit_the_schemas() -> None:
    """As they are written: what Kustomize adds are labels, names and images."""
    for each in manifests():
        if each["kind"] == "Deployment":  # labels make the selector's other half
            assert (
                each["spec"]["selector"]["matchLabels"].items()
                <= each["spec"]["template"]["metadata"]["labels"].items()
            )
        kubernetes_validate.validate(each, KUBERNETES, strict=True)


def test_kustomizations_name_files() -> None:
    for folder in (BASE, PRODUCTION):
        [found] = documents(folder / "kustomization.yaml")
        assert all((folder / name).exists() for name in found["resources"])


def test_pods_are_restricted() -> None:
    """The Pod Security Standard `restricted`, and a root filesystem that nobody writes to; commands that exist."""
    found = [*containers()]
    assert len(found) == 5
    for pod, container in found:
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert container["volumeMounts"] == [{"name": "var", "mountPath": "/var/lib/torana"}]
        assert container["resources"]["limits"]["memory"]
        if container["command"][0] == "python":
            assert_command_exists(container["command"])


def test_roles_have_their_parts() -> None:
    """Data and control nodes: each with a Service and a budget, data nodes by need; all of one configuration."""
    names = {
        kind: set[str]()
        for kind in ("Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler")
    }
    for each in manifests():
        names.setdefault(each["kind"], set()).add(each["metadata"]["name"])
    both = {"torana-data", "torana-control"}
    assert names["Deployment"] == names["Service"] == names["PodDisruptionBudget"] == both
    assert names["HorizontalPodAutoscaler"] == {"torana-data"}
    assert len(names["NetworkPolicy"]) == 3
    roles = [c["command"][5] for _, c in containers() if c["command"][3:4] == ["serve"]]
    assert sorted(roles) == ["control", "data"]


def test_ingress_sends_each_endpoint_to_who_has_it() -> None:
    """What data nodes do not serve goes to control nodes, and nothing else."""
    [ingress] = documents(PRODUCTION / "ingress.yaml")
    *own, rest = ingress["spec"]["rules"][0]["http"]["paths"]
    prefixes = {each["path"] for each in own}
    for builtin in reserved_routes("/api/v1"):
        on_control = any(builtin.path == each or builtin.path.startswith(each + "/") for each in prefixes)
        assert on_control == (builtin.path.removesuffix("/stream") not in ON_DATA_NODES), builtin.path
    assert {each["backend"]["service"]["name"] for each in own} == {"torana-control"}
    assert rest["backend"]["service"]["name"] == "torana-data"


def test_kubernetes_environment_is_accepted() -> None:
    """By the gateway in production, once the secrets are filled in; all of them are in the example."""
    [base] = documents(BASE / "kustomization.yaml")
    env = dict(pair.split("=", 1) for pair in base["configMapGenerator"][0]["literals"])
    named = [line.split("=")[0] for line in (PRODUCTION / "secrets.env.example").read_text().splitlines()]
    assert set(named) == set(SECRETS)
    assert load_config({**env, **SECRETS}).environment == "production"


if shutil.which("kubectl"):

    def test_kustomize_renders_it(tmp_path: Path) -> None:
        """With a real Kustomize: every object is valid, in the namespace, with the image and the made names."""
        shutil.copytree(DEPLOY / "kubernetes", tmp_path / "kubernetes")
        overlay = tmp_path / "kubernetes" / "overlays" / "production"
        (overlay / "secrets.env").write_text("".join(f"{name}={value}\n" for name, value in SECRETS.items()))
        command = ["kubectl", "kustomize", str(overlay)]
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)}
        )
        assert done.returncode == 0, done.stderr
        found = [*yaml.safe_load_all(done.stdout)]
        for each in found:
            kubernetes_validate.validate(each, KUBERNETES, strict=True)
        assert {each["metadata"].get("namespace") for each in found if each["kind"] != "Namespace"} == {
            "torana"
        }
        assert len(re.findall(r"image: registry.example.com/torana:0.1.0", done.stdout)) == 5
        [secret] = [each["metadata"]["name"] for each in found if each["kind"] == "Secret"]
        assert secret.startswith("torana-")
        assert done.stdout.count(f"name: {secret}\n") == 6


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        name, is_set, value = line.partition("=")
        if is_set and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_unit_runs_the_gateway() -> None:
    """Tables first; commands and variables that exist; nothing is written but below VAR_DIR."""
    found = unit()
    for name in ("ExecStart", "ExecStartPre"):
        assert_command_exists(shlex.split(found[name][0]))
    env = dict(pair.split("=", 1) for pair in found["Environment"][0].split())
    assert env["VAR_DIR"] == f"/var/lib/{found['StateDirectory'][0]}"
    assert set(env) - known_variables() == {"TMPDIR", "PYTHONDONTWRITEBYTECODE"}
    assert found["ProtectSystem"] == ["strict"]


if shutil.which("systemd-analyze"):

    def test_systemd_takes_the_unit(tmp_path: Path) -> None:
        """Nothing in it is unknown to systemd, and it is judged well shut in (2 of 10 at most)."""
        copy = tmp_path / UNIT.name
        there = UNIT.read_text().replace("/opt/torana/.venv/bin/python", sys.executable)
        copy.write_text(there.replace("/opt/torana", str(ROOT)))
        verified = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
        assert (verified.returncode, verified.stderr) == (0, "")
        command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", copy]
        judged = subprocess.run(command, capture_output=True, text=True)
        assert judged.returncode == 0, judged.stdout


PROMETHEUS = DEPLOY / "compose" / "prometheus.yaml"


def test_prometheus_finds_its_files() -> None:
    """The rules and the token where Compose puts them; each gateway is scraped, not whichever answers."""
    found = yaml.safe_load(PROMETHEUS.read_text())
    configs = {each["target"] for each in COMPOSE["services"]["prometheus"]["configs"]}
    [job] = found["scrape_configs"]
    assert set(found["rule_files"]) <= configs
    assert Path(job["authorization"]["credentials_file"]).name in COMPOSE["secrets"]
    assert job["dns_sd_configs"][0]["names"] == ["gateway"]


if shutil.which("promtool"):

    @pytest.mark.parametrize("what", ["config", "rules"])
    def test_promtool_takes_it(what: str) -> None:
        file = PROMETHEUS if what == "config" else DEPLOY / "prometheus" / "torana.rules.yml"
        options = ["--syntax-only"] if what == "config" else []
        done = subprocess.run(["promtool", "check", what, *options, file], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
