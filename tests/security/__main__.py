"""`make security`: what `make test` has no time for, and what asks others.

All tests of tests/security and all marked `long`, Django's check of a deployment, bandit, and the
pinned packages against the database of known vulnerabilities (osv.dev). Where that cannot be
reached the last line says that it was NOT ASKED; with AUDIT=required that is a failure.
"""

import json
import os
import subprocess
import sys
import tempfile

from tests.browsers import bring_chromium
from tests.run import PYTHON, ROOT, pytest, run

AUDIT = ROOT / ".venv" / "audit" / "bin"
LOCKS = ("requirements.txt", "requirements-dev.txt")
# Judged place by place under ruff's names: S104, S108, S301, S308, S608.
JUDGED_BY_RUFF = "B104,B108,B301,B308,B608,B703"
NOT_ASKED = "Known vulnerabilities of the pinned packages could NOT BE ASKED for: "


def judge(code: int, answer: str) -> tuple[bool | None, str]:
    """pip-audit's exit code and JSON: whether all is well (None: nobody knows), and in words.

    A package that was passed over counts as not asked for: the tool itself ends with 0 then.
    """
    try:
        packages = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None, f"{NOT_ASKED}the database does not answer."
    found = [
        f"{one['name']} {one['version']}: {vulnerability['id']}, "
        f"mended in {', '.join(vulnerability['fix_versions']) or 'no version'}"
        for one in packages
        for vulnerability in one.get("vulns", ())
    ]
    if found:
        return False, "\n".join(found)
    passed_over = [one["name"] for one in packages if "skip_reason" in one]
    if passed_over or not packages or code:
        return None, f"{NOT_ASKED}{len(passed_over)} of {len(packages)} packages are not known."
    return True, f"{len(packages)} packages, no known vulnerability."


def audit(lock: str) -> tuple[bool | None, str]:
    """Ask for the packages of one lock."""
    done = subprocess.run(
        (str(AUDIT / "pip-audit"), "--service", "osv", "--requirement", lock, "--no-deps",
         "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "15"),
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    return judge(done.returncode, done.stdout)


def deployment() -> bool:
    """Django's own check of the studio behind a proxy with TLS."""
    with tempfile.TemporaryDirectory(prefix="studio-security-") as home:
        return run(
            "Django's check of a deployment",
            PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING",
            DJANGO_SETTINGS_MODULE="studio.settings",
            STUDIO_HOME=home,
            STUDIO_URL="https://studio.example.org",
        )  # fmt: skip


def main() -> int:
    """Run all; 0 if everything passed."""
    chromium = bring_chromium()
    where = {"CHROMIUM": chromium} if chromium else {}
    bandit = (str(AUDIT / "bandit"), "-q", "-r", "studio", "sweeps", "manage.py", "-ll")
    ok = [
        deployment(),
        # All rules, security's among them: named on the command line, they would forget what the
        # configuration leaves out, and why.
        run("ruff, with its rules of security", PYTHON, "-m", "ruff", "check", "."),
        run("bandit", *bandit, "-s", JUDGED_BY_RUFF, "-x", "*/migrations/*"),
    ]
    told = []
    for lock in LOCKS:
        well, words = audit(lock)
        told.append(f"{lock}: {words}")
        print(f"\n=== known vulnerabilities\n{told[-1]}", flush=True)
        ok.append(os.environ.get("AUDIT") != "required" if well is None else well)
    which = "long or security" if chromium else "(long or security) and not browser"
    ok.append(run("the tests", *pytest("--long", "-m", which), **where))
    print(f"\n{sum(ok)} passed, {len(ok) - sum(ok)} failed")
    print("\n".join(told))
    if not chromium:
        print("No Chromium could be found or installed: the browser tests were LEFT OUT.")
        ok.append(os.environ.get("CI") != "true")
    return 0 if all(ok) else 1


if __name__ == "__main__":
    sys.exit(main())
