"""Settings of the test suite: a throw-away home, fast hashing, no static manifest."""

import atexit
import os
import shutil
import tempfile


def _throw_away_home() -> str:
    """A folder that goes with this process; those that it starts or forks have it too."""
    home, maker = tempfile.mkdtemp(prefix="studio-tests-"), os.getpid()
    atexit.register(lambda: os.getpid() == maker and shutil.rmtree(home, ignore_errors=True))
    return home


if "STUDIO_HOME" not in os.environ:
    os.environ["STUDIO_HOME"] = _throw_away_home()
_home = os.environ["STUDIO_HOME"]
if _worker := os.environ.get("PYTEST_XDIST_WORKER"):  # each has its own below that
    os.environ["STUDIO_HOME"] = os.path.join(_home.removesuffix(f"/{_worker}"), _worker)

from studio.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]  # noqa: F405
HUEY = {"huey_class": "huey.MemoryHuey", "name": "tests", "immediate": False, "results": False}
# A file: servers under test write from several threads, which need connections of their own.
DATABASES["default"].setdefault("TEST", {})["NAME"] = str(STUDIO_HOME / "tests.db")  # noqa: F405

# Keys of tokens come again in every test; the tests of the limit set one.
STUDIO_API_RATE = STUDIO_PAGE_RATE = STUDIO_WRONG_TOKEN_RATE = 0
