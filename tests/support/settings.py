"""D: The gateway's settings for tests: a hermetic environment, made before the real settings are read.

Nothing of the developer's shell reaches the tests but DATABASE_URL, which chooses the store that they run on
(SQLite without it), and TEST_REDIS_URL. Processes that tests start inherit this environment.
"""

import atexit
import os
import shutil
import tempfile

from gateway_project.config import SERVICE_URL_SUFFIX, table

KEPT = ("DATABASE_URL",)


def _hermetic() -> None:
    for row in table().values():
        for name in set(row.names) - set(KEPT):
            os.environ.pop(name, None)
    for name in [name for name in os.environ if name.endswith(SERVICE_URL_SUFFIX)]:
        del os.environ[name]
    var_dir = tempfile.mkdtemp(prefix="torana-test-")
    atexit.register(shutil.rmtree, var_dir, ignore_errors=True)
    os.environ.update(ENVIRONMENT="testing", VAR_DIR=var_dir)
    # A gateway that a test starts reads the real settings, with the environment that the test gives it.
    os.environ["DJANGO_SETTINGS_MODULE"] = "gateway_project.settings"


_hermetic()

from gateway_project.settings import *  # noqa: E402, F403 - reads the environment, so it comes after

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one takes 0.2 s, by design
