"""A studio behind a proxy with TLS: what STUDIO_URL=https://… turns on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core import checks
from django.test import Client, override_settings

from tests.security.__main__ import NOT_ASKED, judge

ROOT = Path(__file__).resolve().parents[2]
NAMES = (
    "SECURE_PROXY_SSL_HEADER", "SECURE_SSL_REDIRECT", "SECURE_SSL_HOST", "SECURE_HSTS_SECONDS",
    "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME",
)  # fmt: skip
BY_PROXY = {"headers": {"host": "studio.example.org", "x-forwarded-proto": "https"}}


def settings_of(home: Path, **environment: str) -> dict[str, object]:
    """What settings.py makes of these variables, in a process of its own."""
    code = (
        "import json; from studio import settings as s;"
        f"print(json.dumps({{n: getattr(s, n) for n in {NAMES!r}}}))"
    )
    whole = {**os.environ, "STUDIO_HOME": str(home), **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=whole, check=True, capture_output=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def behind_tls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The settings of such a studio."""
    home = tmp_path_factory.mktemp("home")
    found = settings_of(home, STUDIO_URL="https://studio.example.org")
    found["SECURE_PROXY_SSL_HEADER"] = tuple(found["SECURE_PROXY_SSL_HEADER"])  # type: ignore[arg-type]
    return found


def test_djangos_check_of_a_deployment_has_no_warning(behind_tls):
    with override_settings(**behind_tls, ALLOWED_HOSTS=["studio.example.org"]):
        told = checks.run_checks(include_deployment_checks=True)
        assert [warning for warning in told if not warning.is_silenced()] == []


def test_without_tls_the_same_check_warns():
    told = {warning.id for warning in checks.run_checks(include_deployment_checks=True)}
    assert {"security.W008", "security.W012", "security.W016"} <= told


def test_only_checks_about_other_hosts_are_silenced():
    assert settings.SILENCED_SYSTEM_CHECKS == ["security.W005", "security.W021"]


@pytest.mark.django_db
def test_pages_by_http_lead_to_the_public_address_and_programs_are_left_alone(behind_tls):
    with override_settings(**behind_tls, ALLOWED_HOSTS=["studio.example.org", "127.0.0.1"]):
        client = Client(headers={"host": "127.0.0.1:8000"})
        answer = client.get("/w/?a=1")
        assert (answer.status_code, answer["Location"]) == (
            301,
            "https://studio.example.org/w/?a=1",
        )
        assert client.get("/healthz").status_code in (200, 503)
        assert client.get("/api/v1/workspaces/default/sweeps").status_code == 401
        assert client.get("/tracking/default/api/2.0/mlflow/runs/get").status_code == 401


@pytest.mark.django_db
def test_by_the_proxy_pages_are_answered_with_hsts_and_secure_cookies(behind_tls, alice):
    with override_settings(**behind_tls, ALLOWED_HOSTS=["studio.example.org"]):
        client = Client(**BY_PROXY)
        page = client.get("/accounts/login/")
        assert page.status_code == 200
        assert page["Strict-Transport-Security"] == "max-age=2592000"
        told = {"username": "alice", "password": "alice-secret-1"}
        client.post("/accounts/login/", told)
        session = client.cookies[settings.SESSION_COOKIE_NAME]
        assert (session["secure"], session["httponly"], session["samesite"]) == (True, True, "Lax")
        assert client.cookies[settings.CSRF_COOKIE_NAME]["secure"] is True


def test_with_tls_no_other_port_of_the_host_can_set_the_cookies(behind_tls, tmp_path):
    for name in ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME"):
        assert behind_tls[name].startswith("__Host-studio_")
        assert settings_of(tmp_path)[name].startswith("studio_")


def test_without_tls_the_proxys_word_counts_for_nothing(tmp_path):
    found = settings_of(tmp_path)
    assert found["SECURE_PROXY_SSL_HEADER"] is None
    assert found["SECURE_SSL_REDIRECT"] is False
    assert found["SECURE_HSTS_SECONDS"] == 0


@pytest.mark.parametrize(
    ("code", "answer", "well", "words"),
    [
        (0, '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', True, "1 packages"),
        (1, "", None, NOT_ASKED),
        (0, '{"dependencies": []}', None, NOT_ASKED),
        (0, '{"dependencies": [{"name": "a", "skip_reason": "unknown"}]}', None, NOT_ASKED),
        (
            1,
            '{"dependencies": [{"name": "a", "version": "1", "vulns":'
            ' [{"id": "CVE-1", "fix_versions": ["2"]}]}]}',
            False,
            "a 1: CVE-1, mended in 2",
        ),
    ],
)
def test_what_the_database_of_vulnerabilities_did_not_say_is_no_good_word(
    code, answer, well, words
):
    found, told = judge(code, answer)
    assert found is well
    assert words in told
