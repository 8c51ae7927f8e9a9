"""What `deploy/` says of the product is so. Nothing here builds an image or asks a cluster."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.core.management import get_commands
from django.urls import resolve

from studio import hosts
from tests.e2e.deployed import COMPOSE, services
from tests.e2e.studios import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
DOCUMENTS = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
CONFIGURATION = (CHECKOUT / "docs" / "configuration.md").read_text()
USER, PORT, HOME = 10001, 8000, "/srv/sweep-studio"


def of_kind(kind: str) -> dict[str, Any]:
    return {one["metadata"]["name"]: one for one in DOCUMENTS if one["kind"] == kind}


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """The pods' templates by what makes them."""
    for kind in ("StatefulSet", "Job"):
        for name, one in of_kind(kind).items():
            yield name, one["spec"]["template"]


def values_of(container: dict[str, Any]) -> dict[str, str]:
    """What a container finds in its environment."""
    found = dict.fromkeys((name["name"] for name in container["env"]), "its-own")
    found |= {one["name"]: one["value"] for one in container["env"] if "value" in one}
    for source in container["envFrom"]:
        for key, field in (("secretRef", "stringData"), ("configMapRef", "data")):
            if key in source:
                kind = "Secret" if key == "secretRef" else "ConfigMap"
                found |= of_kind(kind)[source[key]["name"]][field]
    return found


def documented(names: set[str]) -> None:
    assert not [name for name in names if f"`{name}`" not in CONFIGURATION]


def fits(words: list[str], variables: dict[str, str]) -> str:
    """The one part that a command starts; the product would start it with these variables."""
    command, option, part = words
    assert (command, option) == ("studio", "--parts")
    assert command in get_commands()
    parts = hosts.parts_from(part.split(","))
    hosts.check(
        node=hosts.node_from(variables["STUDIO_NODE"], parts),
        parts=parts,
        database=variables["DATABASE_URL"],
        redis=variables["REDIS_URL"],
        store=variables["STUDIO_TRACKING_STORE"],
        tracking=variables["STUDIO_TRACKING_URL"],
    )
    documented({*variables})
    if part == "tracking":
        _, port = hosts.address_from(variables["STUDIO_TRACKING_LISTEN"])
        assert variables["STUDIO_TRACKING_URL"].endswith(f"tracking:{port}")
    return part


def test_the_image_has_all_that_runs_and_no_rights() -> None:
    for source in re.findall(r"^COPY (.+) \S+$", CONTAINERFILE, re.M):
        assert all((CHECKOUT / name).exists() for name in source.split()), source
    # Whatever top-level folder settings and templates look into is in it.
    assert {"studio", "sweeps", "static", "templates"} <= set(
        re.findall(r"^COPY (\w+) \w+$", CONTAINERFILE, re.M)
    )
    before, _, after = CONTAINERFILE.partition(f"USER {USER}\n")
    assert f"--uid {USER}" in before
    assert "RUN" not in after
    assert "USER" not in after
    documented(set(re.findall(r"(STUDIO_\w+)=", CONTAINERFILE)))
    assert f"STUDIO_PORT={PORT}" in CONTAINERFILE
    assert f"EXPOSE {PORT}" in CONTAINERFILE
    assert f"VOLUME {HOME}" in CONTAINERFILE
    assert f"STUDIO_HOME={HOME}" in CONTAINERFILE


def test_the_health_check_asks_for_what_there_is() -> None:
    [words] = re.findall(r"HEALTHCHECK .*\\\n +CMD (\[.*\])", CONTAINERFILE)
    program = json.loads(words)[-1]
    compile(program, "HEALTHCHECK", "exec")
    [(port, path)] = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", program)
    assert int(port) == PORT
    assert resolve(path)


def test_the_images_python_is_one_that_the_studio_runs_on() -> None:
    [found] = re.findall(r"^FROM \S+/python:3\.(\d+)", CONTAINERFILE, re.M)
    assert int(found) >= 11


@pytest.mark.parametrize("name", list(services()))
def test_each_service_is_one_that_the_product_starts(name: str) -> None:
    service = services()[name]
    part = fits(service["command"], service["environment"])
    assert name.startswith(part)
    assert service["environment"]["STUDIO_NODE"] == name
    assert service["volumes"] == [f"home:{HOME}"]


def test_the_compose_file_holds_together() -> None:
    whole = yaml.safe_load(COMPOSE.read_text())
    every = whole["services"]
    kinds = [name.rstrip("12") for name in services()]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "tracking": 1, "web": 2, "queue": 2, "engine": 2,
    }  # fmt: skip
    for one in every.values():
        assert {*one.get("depends_on", {})} <= {*every}
        for volume in one.get("volumes", []):
            assert volume.split(":")[0] in whole["volumes"]
        for used in one.get("configs", []):
            assert used["source"] in whole["configs"]
        healthy = [n for n, how in one.get("depends_on", {}).items() if "condition" in how]
        assert all("healthcheck" in every[n] for n in healthy)
    behind = {word for word in every["proxy"]["command"] if word.startswith("web")}
    assert behind == {f"{name}:{PORT}" for name in services() if name.startswith("web")}
    # Whom variables name is there, and may be named to the studio.
    variables = services()["queue1"]["environment"]
    for name in ("DATABASE_URL", "REDIS_URL", "STUDIO_TRACKING_URL", "STUDIO_GATEWAY_URL"):
        host = re.split(r"[:/]", variables[name].rpartition("@")[2].rpartition("//")[2])[0]
        assert host in every, name
    assert variables["STUDIO_ALLOWED_HOSTS"] in variables["STUDIO_GATEWAY_URL"]


def test_each_stateful_set_is_one_part_that_the_product_starts() -> None:
    found = {}
    for name, one in of_kind("StatefulSet").items():
        [container] = one["spec"]["template"]["spec"]["containers"]
        part = fits(container["args"], values_of(container))
        assert name == f"sweep-studio-{part}"
        found[part] = one["spec"]["replicas"]
    assert found == {"web": 2, "queue": 2, "engine": 2, "tracking": 1}


@pytest.mark.parametrize(("name", "pod"), list(pods()))
def test_what_a_pod_refers_to_is_there_and_it_has_no_rights(name: str, pod: Any) -> None:
    spec = pod["spec"]
    [container] = spec["containers"]
    volumes = {one["name"]: one for one in spec["volumes"]}
    assert {one["name"] for one in container["volumeMounts"]} == {*volumes}
    assert [m["mountPath"] for m in container["volumeMounts"] if m["name"] == "home"] == [HOME]
    assert volumes["home"]["persistentVolumeClaim"]["claimName"] in of_kind("PersistentVolumeClaim")
    documented({*values_of(container)})
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == USER
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    ports = {one["name"]: one["containerPort"] for one in container.get("ports", [])}
    for probe in ("livenessProbe", "readinessProbe"):
        for how in ("httpGet", "tcpSocket"):
            if asked := container.get(probe, {}).get(how):
                assert ports[asked["port"]] == PORT
                assert resolve(asked.get("path", "/healthz"))
    if name == "sweep-studio-owner":
        assert "manage.py owner admin < /run/owner/password" in container["command"][2]
        assert "owner" in get_commands()
        secret = of_kind("Secret")[volumes["owner"]["secret"]["secretName"]]
        assert "password" in secret["stringData"]


def test_services_and_sets_find_their_pods() -> None:
    for name, one in of_kind("StatefulSet").items():
        pod = one["spec"]["template"]
        service = of_kind("Service")[one["spec"]["serviceName"]]
        assert service["spec"]["selector"] == one["spec"]["selector"]["matchLabels"], name
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        [container] = pod["spec"]["containers"]
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in {p["name"] for p in container["ports"]}
    data = of_kind("ConfigMap")["sweep-studio"]["data"]
    for key in ("STUDIO_TRACKING_URL", "STUDIO_GATEWAY_URL"):
        host, _, port = data[key].removeprefix("http://").partition(":")
        assert of_kind("Service")[host]["spec"]["ports"][0]["port"] == int(port)
    assert data["STUDIO_ALLOWED_HOSTS"] in data["STUDIO_GATEWAY_URL"]
