"""What a compute of kind `ray` can be told: where its cluster is, and what each trial asks for."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from sweeps.domain.computes.settings import Field, Settings
from sweeps.domain.wording import shown

MOST_CPUS = 4096
DASHBOARD_PORT = 8265
_NUMBER = re.compile(r"\d{1,4}(\.\d{1,4})?")
_MEMORY = re.compile(r"([1-9][0-9]{0,9})([KMGT]?)(iB|B)?", re.IGNORECASE)
_RESOURCE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._:/-]{0,63})\s*[=:]\s*(\S+)")
_FACTORS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
# Ray has settings of their own for these.
_FIELDS = {"cpu": "CPUs per trial", "gpu": "GPUs per trial", "memory": "Memory per trial"}
_MOST_RESOURCES = 20
# Labels of letters, digits, - and _ (RFC 1123; names within a network have _ too).
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_EXAMPLE = f"http://head:{DASHBOARD_PORT}"


def _address(text: str) -> str:
    """An origin: no path, so that nobody has the studio ask for anything else there."""
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError(f"Write the dashboard's address, such as {_EXAMPLE}, not {shown(text)}.")
    if parts.username or parts.password:
        raise ValueError("Write the address without a name or password: all members see it.")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"Write scheme, host and port alone, such as {_EXAMPLE}.")
    if not (_HOST.fullmatch(host) or _is_address(host)):
        raise ValueError(f"{shown(host)} is no name of a host.")
    name = f"[{host}]" if ":" in host else host
    usual = DASHBOARD_PORT if parts.scheme == "http" else 443
    return f"{parts.scheme}://{name}:{port or usual}"


def _is_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host) is not None
    except ValueError:
        return False


def _amount(text: str) -> float:
    if not _NUMBER.fullmatch(text) or not 0 < float(text) <= MOST_CPUS:
        raise ValueError(
            f"Write a number up to {MOST_CPUS:,}, such as 1 or 0.5, but not {shown(text)}."
        )
    number = float(text)
    return int(number) if number.is_integer() else number


def _memory(text: str) -> str:
    if not _MEMORY.fullmatch(text):
        raise ValueError(f"Write a number with K, M, G or T, such as 8G, but not {shown(text)}.")
    return text


def _resources(text: str) -> str:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) > _MOST_RESOURCES:
        raise ValueError(f"Write {_MOST_RESOURCES} resources at most.")
    for line in lines:
        found = _RESOURCE.fullmatch(line)
        if found is None:
            raise ValueError(
                f"Write one resource per line, such as special_hardware=1, but not {shown(line)}."
            )
        if own := _FIELDS.get(found[1].lower()):
            raise ValueError(f"{found[1]} has a field of its own: {own}.")
        _amount(found[2])
    return "\n".join(lines)


def memory_bytes(text: str) -> int:
    """Bytes that a text which `_memory` took means."""
    found = _MEMORY.fullmatch(text)
    assert found is not None, text
    return int(found[1]) * _FACTORS[found[2].upper()]


def resources_of(text: str) -> dict[str, float]:
    """Custom resources by name, of lines that `_resources` took."""
    rows = (_RESOURCE.fullmatch(line.strip()) for line in text.split("\n"))
    return {row[1]: _amount(row[2]) for row in rows if row}


@dataclass(frozen=True, slots=True)
class RaySettings(Settings):
    """Where the cluster's dashboard is, and what every trial asks for."""

    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field(
            "address", "Address", "Of the cluster’s dashboard, as the studio reaches it: what "
            "<code>ray start --head</code> prints for Ray Jobs.", _address, _EXAMPLE,
            needed=f"Write the dashboard's address, such as {_EXAMPLE}.",
        ),
        Field("cpus", "CPUs per trial", "Empty: one. Fractions such as 0.5 too.", _amount, "4"),
        Field("gpus", "GPUs per trial", "Empty: none. Fractions such as 0.5 too.", _amount, "1"),
        Field("memory", "Memory per trial", "What Ray sets aside. Empty: none.", _memory, "8G"),
        Field(
            "resources", "Custom resources", "What nodes were started with as "
            "<code>--resources</code>, one per line.", _resources, "special_hardware=1",
            lines=True,
        ),
    )  # fmt: skip

    address: str = ""  # type: ignore[assignment]
    cpus: float | None = None
    gpus: float | None = None
    memory: str = ""
    resources: str = ""

    @property
    def threads(self) -> int | None:
        """As many as it has CPUs, at least one."""
        return max(1, int(self.cpus or 1))


def request_of(doc: Mapping[str, Any]) -> dict[str, Any]:
    """What a job asks of Ray, for settings as they are stored."""
    found: dict[str, Any] = {"entrypoint_num_cpus": doc.get("cpus") or 1}
    if doc.get("gpus"):
        found["entrypoint_num_gpus"] = doc["gpus"]
    if doc.get("memory"):
        found["entrypoint_memory"] = memory_bytes(doc["memory"])
    if doc.get("resources"):
        found["entrypoint_resources"] = resources_of(doc["resources"])
    return found
