"""Canaries: values that must be nowhere, looked for everywhere after a sweep of a real studio."""

import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.e2e.studios import Studio, manage, until
from tests.studio.test_accounts import SAMPLES

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

SECRET, OTHER = "canary-Secret/Of+it=1", "canary-not-granted-2"
SERVER = {
    "STUDIO_SECRET_KEY": "canary-of-the-session-key-3",
    "STUDIO_SMTP_URL": "smtp://studio:canary-smtp-4@127.0.0.1:9",
    "AWS_SECRET_ACCESS_KEY": "canary-of-the-shell-5",
    "WAREHOUSE_URL": "postgresql://u:canary-database-6@db/x",
    "QUEUE_URL": "redis://:canary-redis-7@queue",
}
HOOK = "https://hooks.example.org/canary-in-an-address-8"
SCRIPT = """
import base64, json, mlflow, os, sys, urllib.parse
print(json.dumps(dict(os.environ)))
for name, value in os.environ.items():
    print(f"{name}={value}", base64.b64encode(value.encode()), urllib.parse.quote(value, safe=""))
loss = float(sys.argv[1])
mlflow.log_metric("loss", loss)
os.makedirs("outputs", exist_ok=True)
open("outputs/result.txt", "w").write(str(loss))
while not os.path.exists(os.environ["GO"]):
    pass
if loss > 0.6:
    raise RuntimeError("no connection with " + os.environ["MY_KEY"])
"""
# Where a canary may lie: the keys themselves, for their owner alone.
KEYS = ("secrets.key", "secret_key", "tracking_secret")


@pytest.fixture
def client(studio: Studio) -> Iterator[httpx.Client]:
    """A browser without a session."""
    with httpx.Client(base_url=studio.url, follow_redirects=True, timeout=60) as made:
        yield made


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(tmp_path / "home", slots=2, **SERVER)
    made.start()
    try:
        yield made
    finally:
        made.close()


def job(go: Path) -> dict[str, Any]:
    return {
        "type": "sweep",
        "name": "canaries",
        "trial": {
            "command": "python train.py ${{search_space.x}}",
            "environment_variables": {
                "MY_KEY": "${{secrets.MINE}}",
                "WRITTEN_API_KEY": "canary-written-out-9",
                "GO": str(go),
            },
        },
        "search_space": {"x": {"type": "choice", "values": [0.25, 0.75]}},
        "sampling_algorithm": "grid",
        "objective": {"goal": "minimize", "primary_metric": "loss"},
        "limits": {"max_total_trials": 2, "max_concurrent_trials": 2},
    }


def zipped() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("train.py", SCRIPT)
    return data.getvalue()


def of_processes(kind: str) -> dict[str, bytes]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[entry.name] = (entry / kind).read_bytes()
            except OSError:
                continue
    return found


def test_canaries_are_nowhere(studio: Studio, client: httpx.Client, tmp_path: Path) -> None:
    go = tmp_path / "go"
    for name, value in (("MINE", SECRET), ("OTHER", OTHER)):
        assert studio.ask("PUT", f"secrets/{name}", json={"value": value}).status_code == 201
    hook = {"name": "hook", "kind": "webhook", "address": HOOK}
    made = studio.ask("POST", "channels", json=hook, headers={"Idempotency-Key": "one"}).json()
    again = studio.ask("POST", "channels", json=hook, headers={"Idempotency-Key": "one"}).json()
    assert made == again
    link = manage(studio.home, studio.port, "signin", **SERVER).stdout.split()[-1]
    spec = json.dumps(job(go)).encode()
    name = studio.submit_files(spec, zipped())
    studio.wait_running(name, 2)
    spools = list((studio.home / "trials").rglob("stdout.log"))
    until(lambda: (all("GO=" in one.read_text() for one in spools) and len(spools) == 2) or None,
          "output", 60)  # fmt: skip
    trials = [
        text for text in of_processes("environ").values() if b"MY_KEY=" + SECRET.encode() in text
    ]
    assert trials, "Nobody has what was granted."
    tokens = set(re.findall(rb"MLFLOW_TRACKING_TOKEN=([^\0]+)", b"\0".join(trials)))
    assert len(tokens) == 2

    canaries = {SECRET, OTHER, HOOK, "canary", made["secret"], studio.token, link.split("/")[-2]}
    canaries |= {token.decode() for token in tokens}
    for text in trials:
        for one in (*SERVER.values(), OTHER, studio.token, made["secret"]):
            assert one.encode() not in text
    for pid, words in of_processes("cmdline").items():
        for one in canaries - {"canary"}:
            assert one.encode() not in words, pid
    go.touch()
    studio.wait_final(name)

    wrong = [*in_files(studio.home, canaries)]
    page = client.get(link)
    if "csrfmiddlewaretoken" in page.text and "/accounts/link/" in str(page.url):
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', page.text)
        assert token
        client.post(link, data={"csrfmiddlewaretoken": token[1]}, headers={"Referer": link})
    canaries.discard("canary")
    canaries |= {"canary-", quote(SECRET, safe="")}
    for where, text in answers(studio, client, name):
        wrong += [(where, one) for one in canaries if one in text]
    shown = manage(studio.home, studio.port, "sweep", "show", name, **SERVER)
    wrong += [("sweep show", one) for one in canaries if one in shown.stdout + shown.stderr]
    assert not wrong, "\n".join(map(str, wrong))


def in_files(home: Path, canaries: set[str]) -> Iterator[tuple[str, str]]:
    """Where in the studio's home a canary lies: logs, both databases, artifacts, spools."""
    for name in ("studio.db", "mlflow.db"):
        with sqlite3.connect(home / name) as database:
            dump = "\n".join(database.iterdump())
        # The variable that was written out is in its job, and the script in the code.
        dump = dump.replace("canary-written-out-9", "").replace("canaries", "")
        yield from ((name, one) for one in canaries if one in dump)
    for path in home.rglob("*"):
        if not path.is_file() or path.name in KEYS or path.suffix in (".db", ".db-wal", ".db-shm"):
            continue
        text = path.read_bytes().replace(b"canaries", b"")
        yield from ((str(path), one) for one in canaries if one.encode() in text)


def answers(studio: Studio, client: httpx.Client, name: str) -> Iterator[tuple[str, str]]:
    """Everything that can be looked at: pages, downloads, REST, errors."""
    schema = client.get("/api/v1/openapi.json").json()
    values = SAMPLES | {"name": name, "number": "0", "channel_id": "1", "run_id": "0"}
    for path, operations in schema["paths"].items():
        if "get" in operations:
            asked = re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], "x"), path)
            asked = asked.replace(f"/computes/{name}", "/computes/local")
            headers = {"Authorization": f"Bearer {studio.token}"}
            answer = client.get(asked, headers=headers)
            assert answer.status_code < 500, asked
            yield from opened(asked, answer)
    for path in pages(name):
        answer = client.get(path)
        assert answer.status_code < 500 or path == "/healthz", path
        yield from opened(path, answer)
    for path in ("/nothing", "/w/nothing/", "/accounts/link/nothing/", "/w/default/sweeps/none/"):
        yield path, client.get(path).text


def pages(name: str) -> list[str]:
    sweep, settings = f"/w/default/sweeps/{name}/", "/w/default/settings/"
    trials = [f"{sweep}trials/{number}/" for number in (0, 1)]
    parts = ("", "trials/", "charts/", "logs/", "config/", "compare/?t=0,1", "edit", "report.html",
             "bundle.zip", "config/job.yml", "config/azure.yml", "config/job.py", "trials.csv",
             "trials.json", "live", "config/code.zip")  # fmt: skip
    of_trial = ("", "live", "log/stdout", "log/stderr", "download/stdout.log",
                "download/stderr.log", "replay.sh", "artifacts.zip", "artifacts/")  # fmt: skip
    of_settings = ("", "secrets/", "notifications/", "notifications/1/", "audit/", "audit.csv")
    return [
        "/", "/help/", "/accounts/", "/people/", "/audit/", "/audit.csv", "/healthz", "/w/default/",
        "/w/default/computes/", "/w/default/computes/local/", f"/w/default/sweeps/new?from={name}",
        "/w/default/sweeps/", "/w/default/environments/", "/w/default/models/",
        *(settings + part for part in of_settings),
        *(sweep + part for part in parts),
        *(trial + part for trial in trials for part in of_trial),
    ]  # fmt: skip


def opened(where: str, answer: httpx.Response) -> Iterator[tuple[str, str]]:
    """Its text, and that of every file in an archive."""
    if answer.content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            for name in archive.namelist():
                yield f"{where}: {name}", archive.read(name).decode(errors="replace")
    else:
        yield where, f"{answer.text} {answer.headers}"
