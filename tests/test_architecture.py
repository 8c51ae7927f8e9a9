"""The strata hold: who may import whom is data here, and every file is checked against it."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Stratum -> what it may import of this project (prefixes). A module may always import its own.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "studio.env": (),
    "studio.hosts": ("studio.env",),
    "studio.bell": (),
    "studio.queues": ("studio.bell",),
    "studio.formatting": (),
    "studio.security_headers": (),
    "studio.isolation": (),
    "studio.public": (),
    "studio.memory": (),
    "studio.actor": ("studio.peers",),
    "studio.secrecy": (),
    "studio.vault": (),
    "studio.models": ("studio.secrecy", "studio.vault"),
    "studio.audit": ("studio.models", "studio.actor"),
    "studio.trail": ("studio.models", "studio.audit", "studio.formatting"),
    "studio.commands": ("studio.actor",),
    "studio.middleware": ("studio.actor", "studio.limits"),
    "studio.signs_of_entry": ("studio.models", "studio.audit"),
    "studio.secret_services": (
        "studio.models", "studio.vault", "studio.secrecy", "studio.audit",
    ),
    "studio.services": ("studio.models", "studio.audit"),
    "studio.access": ("studio.models",),
    "studio.context": ("studio.models", "studio.access"),
    "studio.peers": (),
    "studio.local_users": ("studio.peers",),
    "studio.rates": (),
    "studio.limits": ("studio.rates", "studio.local_users"),
    "studio.agents": (),
    "studio.oidc": (),
    "studio.proxies": ("studio.models", "studio.peers", "studio.people", "studio.sessions"),
    "studio.sessions": ("studio.models",),
    "studio.people": (
        "studio.models", "studio.services", "studio.sessions", "studio.peers", "studio.audit",
    ),
    "studio.bootstrap": ("studio.models", "studio.services", "studio.people", "studio.peers"),
    "studio.supervisor": (),
    "studio.serving": ("studio.peers", "studio.local_users"),
    "sweeps.domain": (),
    "sweeps.spec": ("sweeps.domain",),
    "sweeps.runners": ("sweeps.domain", "sweeps.stores.removal", "sweeps.stores.hurried"),
    "sweeps.tracking": ("sweeps.domain", "studio.memory"),
    "sweeps.charts": ("sweeps.domain", "studio.formatting"),
    "sweeps.stores": ("sweeps.domain", "studio.public"),
    "sweeps.environments": ("sweeps.domain",),
    "sweeps.notify": ("sweeps.domain", "sweeps.stores"),
    "sweeps.client": ("sweeps.domain", "sweeps.spec", "sweeps.stores"),
    "sweeps.models": ("sweeps.domain", "studio.models"),
    "sweeps.queries": (
        "sweeps.models", "sweeps.domain", "sweeps.environments", "studio.models", "studio.env",
        "studio.formatting", "studio.hosts", "studio.secrecy",
    ),
    "sweeps.figures": ("sweeps.charts", "sweeps.queries", "sweeps.models", "sweeps.domain"),
    "sweeps.forms": (
        "sweeps.models", "sweeps.domain", "sweeps.spec", "studio.models", "studio.forms",
        "studio.secrecy", "studio.secret_services",
    ),
    "sweeps.services": (
        "sweeps.queries", "sweeps.models", "sweeps.domain", "studio.models", "studio.audit",
    ),
    "sweeps.context": ("sweeps.queries", "sweeps.models", "studio.models", "studio.context"),
    "sweeps.intake_environments": (
        "sweeps.queries", "sweeps.models", "sweeps.domain", "sweeps.spec", "sweeps.environments",
        "studio.models",
    ),
    "sweeps.intake_places": (
        "sweeps.queries", "sweeps.domain", "studio.models", "studio.public",
    ),
    "sweeps.intake": (
        "sweeps.intake_environments", "sweeps.intake_places",
        "sweeps.services", "sweeps.queries", "sweeps.models", "sweeps.domain", "sweeps.spec",
        "sweeps.stores", "sweeps.environments", "studio.models", "studio.secrecy",
    ),
    "sweeps.intake_bundles": (
        "sweeps.intake",
        "sweeps.services", "sweeps.queries", "sweeps.models", "sweeps.domain", "sweeps.spec",
        "sweeps.stores", "sweeps.environments", "studio.models",
    ),
    "sweeps.engine": (
        "sweeps.tasks", "sweeps.services", "sweeps.queries", "sweeps.models", "sweeps.domain",
        "sweeps.runners", "sweeps.tracking", "sweeps.stores", "sweeps.environments",
        "sweeps.notify", "studio.models", "studio.env", "studio.bell", "studio.hosts",
        "studio.secrecy", "studio.secret_services", "studio.public",
    ),
    "sweeps.tasks": (
        "sweeps.engine", "sweeps.services", "sweeps.queries", "sweeps.models", "sweeps.domain",
        "sweeps.tracking", "studio.hosts",
    ),
}  # fmt: skip
_TOP = (
    "sweeps.tasks", "sweeps.engine", "sweeps.intake", "sweeps.intake_environments",
    "sweeps.intake_places", "sweeps.intake_bundles", "sweeps.services", "sweeps.queries",
    "sweeps.forms", "sweeps.models", "sweeps.context", "sweeps.domain",
    "sweeps.spec", "sweeps.charts", "sweeps.figures", "sweeps.stores", "sweeps.environments",
    "sweeps.notify", "sweeps.views", "sweeps.api", "sweeps.gateway", "sweeps.client", "studio",
)  # fmt: skip
MAY_IMPORT |= dict.fromkeys(
    ("sweeps.views", "sweeps.api", "sweeps.gateway", "sweeps.management", "sweeps.urls"), _TOP
)
# Commands print what REST answers, and read nothing as it does.
MAY_IMPORT["sweeps.management"] = (
    "sweeps.api.shapes",
    "sweeps.api.trial_shapes",
    *sorted({*_TOP} - {"sweeps.api"}),
)

# Stratum -> packages from outside that it must never import.
NEVER: dict[str, tuple[str, ...]] = {
    "sweeps.domain": ("django", "mlflow", "huey", "plotly", "httpx", "yaml", "subprocess"),
    "sweeps.spec": ("django", "mlflow", "huey"),
    "sweeps.runners": ("django", "mlflow", "huey", "hyperopt"),
    "sweeps.tracking": ("django", "huey", "hyperopt"),
    "sweeps.charts": ("django", "mlflow", "huey"),
    "sweeps.figures": ("mlflow", "huey", "httpx"),
    "sweeps.stores": ("django.db", "mlflow", "huey"),
    "sweeps.environments": ("django", "mlflow", "huey"),
    "sweeps.notify": ("django.db", "mlflow", "huey"),
    "sweeps.client": ("django", "mlflow", "huey", "azure"),
    "sweeps.services": ("huey", "mlflow", "requests", "httpx", "hyperopt"),
    "sweeps.models": ("mlflow", "huey", "hyperopt"),
    "studio": ("sweeps", "mlflow", "hyperopt"),
}
ONLY_IMPORTER = {
    "hyperopt": "sweeps/domain/samplers/",
    "scipy": "sweeps/domain/samplers/",
    "optuna": "sweeps/domain/analyses/",
}
# The root URLconf and settings name the apps they are made of.
EXEMPT = {"studio/urls.py", "studio/settings.py"}


def sources() -> list[Path]:
    found = [*ROOT.glob("studio/**/*.py"), *ROOT.glob("sweeps/**/*.py")]
    return [path for path in found if "migrations" not in path.parts]


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def stratum(module: str, table: dict[str, tuple[str, ...]]) -> str | None:
    fitting = [name for name in table if within(module, name)]
    return max(fitting, key=len) if fitting else None


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def violations(module: str, imported: set[str]) -> list[str]:
    own = stratum(module, MAY_IMPORT)
    bad = []
    for name in sorted(imported):
        if within(name, "sweeps") or within(name, "studio"):
            allowed = (own, *MAY_IMPORT[own]) if own else ("studio",)
            if not any(within(name, prefix) for prefix in allowed):
                bad.append(f"{module} imports {name}")
        never = stratum(module, NEVER)
        if never and any(within(name, prefix) for prefix in NEVER[never]):
            bad.append(f"{module} imports {name}")
    return bad


def test_every_import_goes_in_the_allowed_direction():
    bad = [
        line
        for path in sources()
        if str(path.relative_to(ROOT)) not in EXEMPT
        for line in violations(module_of(path), imports(path))
    ]
    assert not bad, "\n".join(bad)


def test_the_check_sees_a_wrong_import():
    assert violations("sweeps.domain.space", {"sweeps.models.trial.Trial"})
    assert violations("sweeps.services.trials", {"huey.api"})
    assert violations("studio.models.user", {"sweeps.models"})
    assert not violations("sweeps.services.trials", {"sweeps.models.Trial", "sweeps.domain.x"})


@pytest.mark.parametrize(("package", "home"), ONLY_IMPORTER.items())
def test_heavy_packages_are_imported_in_one_place(package, home):
    users = [
        str(path.relative_to(ROOT))
        for path in sources()
        if any(within(name, package) for name in imports(path))
    ]
    assert users, f"nothing imports {package} any more; drop it"
    assert all(user.startswith(home) for user in users), users


def test_the_web_process_loads_no_heavy_package():
    code = (
        "import sys, studio.wsgi\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns\n"
        "heavy = ('mlflow', 'hyperopt', 'optuna', 'scipy', 'pandas', 'sklearn')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "tests.settings"},
        check=False,
    )
    assert run.stdout.strip() == "[]", run.stdout + run.stderr


def test_files_and_functions_stay_small():
    long_files = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in sources()
        if (lines := len(path.read_text().splitlines())) > 400
    ]
    long_functions = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > 60
    ]
    assert not long_files + long_functions, "\n".join(long_files + long_functions)


def test_nothing_waits_by_words_that_a_page_must_evaluate_again():
    """The content security policy forbids it; `tests/eventually.py` says more."""
    users = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("tests", "bench")
        for path in sorted((ROOT / folder).glob("**/*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "wait_for_function"
    ]
    assert not users, users


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_the_lock_holds_everything_that_is_asked_for(name):
    """A package that only this machine happens to have is missing on all others."""
    asked = re.findall(r"^([a-z][a-z0-9-]*)", (ROOT / f"{name}.in").read_text().lower(), re.M)
    locked = re.findall(
        r"^([a-z][a-z0-9-]*)(?:\[.*\])?==", (ROOT / f"{name}.txt").read_text(), re.M
    )
    assert set(asked) <= set(locked)
    assert len(asked) > 5


def test_engine_and_queue_load_no_columns() -> None:
    """Columns of trials, and numpy for them, are for pages: others would pay with memory."""
    program = (
        "import django; django.setup(); import sys, sweeps.engine.loop, sweeps.tasks; "
        "print(sorted({'numpy', 'sweeps.queries.boards'} & set(sys.modules)))"
    )
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr
