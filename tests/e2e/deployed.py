"""Services of `deploy/compose.yaml`, started as processes of this machine."""

from pathlib import Path
from typing import Any

import yaml

from tests.e2e.studios import CHECKOUT, Studio

COMPOSE = CHECKOUT / "deploy" / "compose.yaml"


def services() -> dict[str, Any]:
    """The services that are the studio's."""
    found = yaml.safe_load(COMPOSE.read_text())["services"]
    return {name: one for name, one in found.items() if one.get("image") == "sweep-studio"}


def as_process(name: str, home: Path, here: dict[str, str]) -> tuple[Studio, list[str]]:
    """A service with its own variables, and the words of its command after the first.

    `here` has the addresses that variables have on this machine; each must be one of the file's.
    """
    service = services()[name]
    command, *words = service["command"]
    assert command == "studio"
    variables = service["environment"]
    assert here.keys() <= variables.keys() | {"STUDIO_TRACKING_LISTEN"}
    changed = {key: str(here.get(key, value)) for key, value in variables.items()}
    return Studio(home, **changed), words
