"""The pinned packages, as far as can be said without asking: what is newer than known holes.

`make security` asks the database of known vulnerabilities; these few are known here, so that no
pin goes back below them even where it cannot be asked.
"""

import json
import re
from pathlib import Path

import pytest
from django.test import Client
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (
    "requirements.txt", "requirements-dev.txt", "requirements-azure.txt", "requirements-audit.txt",
)  # fmt: skip
# Package -> advisory -> the first version without it.
MENDED = {
    "mlflow": {
        "CVE-2026-2614, reading files by crafted paths": "3.9.1",
        "CVE-2026-2652, routes open under its own sign-in": "3.9.1",
        "CVE-2026-0545, jobs without sign-in": "3.10.2",
        "GHSA-gq3w, a password that is shipped": "3.16.1",
        "GHSA-h7x2, requests to internal addresses": "3.17.0",
    },
}


def pins(lock: str) -> dict[str, Version]:
    """Package -> the pinned version; each line names exactly one."""
    found = {}
    for line in (ROOT / lock).read_text().splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            wanted = Requirement(line)
            [pin] = wanted.specifier
            assert pin.operator == "==", line
            found[wanted.name.lower()] = Version(pin.version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_to_one_version(lock: str) -> None:
    assert len(pins(lock)) > 10


@pytest.mark.parametrize(
    ("package", "advisory"), [(name, one) for name, found in MENDED.items() for one in found]
)
def test_no_pin_is_older_than_a_hole_that_is_known(package: str, advisory: str) -> None:
    assert pins("requirements.txt")[package] >= Version(MENDED[package][advisory])


@pytest.mark.django_db
def test_htmx_runs_no_words_of_an_answer_and_asks_nobody_else(client: Client) -> None:
    page = client.get("/accounts/login/").content.decode()
    [written] = re.findall(r"name=\"htmx-config\" content='([^']+)'", page)
    told = json.loads(written)
    wanted = {
        "allowEval": False, "allowScriptTags": False, "includeIndicatorStyles": False,
        "selfRequestsOnly": True, "historyCacheSize": 0,
    }  # fmt: skip
    assert {name: told.get(name) for name in wanted} == wanted
    assert 'hx-headers=\'{"X-CSRFToken": "' in page
