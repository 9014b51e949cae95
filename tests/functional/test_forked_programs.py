"""Commands and gateways of other tests are forks of a process that waits: they know what programs would."""

import asyncio
import re
import subprocess
import sys

import pytest

from tests.support.process import MANAGE, Site, command_line

ANEW = {
    "JWT_ALGORITHM": "ES256",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "debug",
    "SECRET_KEY": "k" * 50,
    "SERVICE_NAME": "other",
}
OTHERS = {"ACCESS_TOKEN_EXPIRE_MINUTES": "7"}
"""A library makes a class of it when it is imported."""
TELL = """
import logging, os
from django.conf import settings
from django.db import connection
from django.core.cache import caches
from drf_spectacular.settings import spectacular_settings
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken

connection.settings_dict  # Django fills in what it takes for granted
for name in sorted(dir(settings)):
    if name.isupper():
        print(name, repr(getattr(settings, name)).replace(str(os.getpid()), "PID"))
print(api_settings.ALGORITHM, api_settings.ISSUER, api_settings.SIGNING_KEY, AccessToken.lifetime)
print(spectacular_settings.TITLE, connection.settings_dict["NAME"], caches["default"])
print(logging.getLogger().level, logging.getLogger().handlers, sorted(os.environ.items()))
"""


@pytest.mark.parametrize("env", [{}, ANEW, OTHERS], ids=["usual", "taken anew", "imported anew"])
async def test_a_fork_knows_what_a_program_knows(site: Site, env: dict[str, str]) -> None:
    """Every setting, and what was made of settings."""
    fork = await site.manage("shell", "--no-imports", "-c", TELL, **env)
    program = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, MANAGE, "shell", "--no-imports", "-c", TELL],
        env=site.environ(**env),
        cwd=site.folder,
        capture_output=True,
        text=True,
    )

    assert facts(fork.out) ^ facts(program.stdout) == set()
    assert len(facts(fork.out)) > 150


async def test_a_gateway_is_a_fork_unless_its_settings_are_others(site: Site) -> None:
    """Both serve."""
    async with site.serving() as usual:
        forks = usual.workers()
        programs = [pid for pid in forks if "server.worker" in command_line(pid)]
        usual_answer = await usual.get("/health/live")
    async with site.serving(**OTHERS) as other:
        others = other.workers()
        other_programs = [pid for pid in others if "server.worker" in command_line(pid)]
        other_answer = await other.get("/health/live")

    assert (len(forks), programs, len(others), other_programs) == (1, [], 1, others)
    assert (usual_answer.status, other_answer.status) == (200, 200)


def facts(text: str) -> set[str]:
    """Lines, without addresses in memory."""
    return {*re.sub(r"0x[0-9a-f]+", "0x", text).splitlines()}
