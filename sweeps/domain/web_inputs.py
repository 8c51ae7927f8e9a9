"""Addresses of data inputs: which can be downloaded, and words on those that cannot."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from sweeps.domain.addresses import is_public, literal
from sweeps.domain.elsewhere import is_asset, without_prefix
from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import cut, shown

_HELP = "Give an http or https address, a path of this machine, or a file of the code."
_FILE_TYPES = ("uri_file", "uri_folder")
_LONGEST_NAME = 100
# A file in a public container, as Azure's examples name it; a blob's https address says the same.
_BLOB = re.compile(
    r"wasbs://(?P<container>[a-z0-9][a-z0-9-]{2,62}|\$root|\$web)"
    r"@(?P<account>[a-z0-9]{3,24})\.blob\.core\.windows\.net/(?P<path>[^/?#].*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class WebInput:
    """A file in the web. `url` has no fragment; `sha256` (hex) is what it must be, "" for any.

    `shown` is the address for people: without query, which may hold a secret. `name` is what the
    file is called here.
    """

    url: str
    shown: str
    name: str
    sha256: str = ""


def is_address(path: str) -> bool:
    """True if an input's path is an address and no path."""
    return "://" in path


def https_form(path: str) -> str | None:
    """The https address of a file that is named by wasbs://CONTAINER@ACCOUNT…/PATH; None for
    anything else.

    Source: "Naming and referencing containers, blobs, and metadata" of Azure Storage.
    """
    found = _BLOB.fullmatch(without_prefix(path).strip())
    if not found:
        return None
    container, account, rest = found.group("container", "account", "path")
    return f"https://{account}.blob.core.windows.net/{container}/{rest}"


def parse_web_input(path: str) -> WebInput:
    """The file that an address means.

    Raises InvalidInput when it cannot be downloaded from here.
    """
    text = https_form(path) or without_prefix(path).strip()
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise _refused(f"{cut(text, 200)} is no address that can be read.") from error
    if parts.scheme not in ("http", "https"):
        raise _refused(_why_not(parts.scheme, text))
    if not host or any(ord(character) <= 32 for character in text):
        raise _refused(f"{cut(text, 200)} is no address that can be read.")
    if "@" in parts.netloc:
        raise _refused(
            f"The address at {host} has a user or password in it, which everybody who reads the "
            "sweep would see. Put the file on this machine."
        )
    sha256 = _checksum(parts.fragment)
    url = urlunsplit((parts.scheme, parts.netloc, parts.path or "/", parts.query, ""))
    return WebInput(url, without_query(url), _name(parts.path), sha256)


def without_query(url: str) -> str:
    """An address for people to read."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


def type_problem(kind: str) -> str | None:
    """Why an input of this type cannot come from an address; None if it can."""
    if kind in _FILE_TYPES:
        return None
    return f"An address gives one file: {kind} cannot come from it. Use type: uri_file."


def private_problem(source: WebInput) -> str | None:
    """Why an input is not downloaded whose address alone says that it is no public one, else None.

    What a name means is seen only when it is downloaded.
    """
    host = urlsplit(source.url).hostname or ""
    address = literal(host)
    if address is None or is_public(address):
        return None
    return not_public(source, f"{host} is {address}")


def not_public(source: WebInput, what: str) -> str:
    """Words on an input that is not downloaded; `what` is "10.0.0.1 is 10.0.0.1"."""
    return (
        f"{source.shown} is not downloaded: {what}, which is no public address. "
        "The studio's administrator can allow it (STUDIO_DOWNLOAD_PRIVATE)."
    )


def asset_problem(path: str) -> str | None:
    """Words on a name that only an Azure workspace knows; None for any other path."""
    if is_asset(path):
        is_it = "is" if path.startswith("azureml:") else "looks like"
        text = f"{cut(path, 200)} {is_it} a data asset of Azure ML, which is not kept here."
        return f"{text} {_HELP}"
    return None


def _checksum(fragment: str) -> str:
    if not fragment.lower().startswith("sha256="):
        return ""  # what follows # otherwise is the browser's business
    found = fragment[7:].lower()
    if not re.fullmatch(r"[0-9a-f]{64}", found):
        raise _refused(f"#sha256= takes 64 hexadecimal digits, not {shown(fragment[7:])}.")
    return found


def _name(path: str) -> str:
    last = unquote(path.rpartition("/")[2])
    clean = re.sub(r"[^\w.+ -]", "_", last).strip(" .")
    stem, dot, end = clean.rpartition(".")
    return f"{stem[:_LONGEST_NAME]}{dot}{end[:20]}" if clean else "data"


def _why_not(scheme: str, text: str) -> str:
    if scheme == "file":
        return f"Write the path alone: {cut(text.removeprefix('file://'), 200)}."
    what = {
        "azureml": "A datastore of Azure ML cannot be read here.",
        "wasb": "Azure's blob storage cannot be read by wasb addresses here.",
        "wasbs": (
            "Azure's blob storage is read by wasbs addresses of the form "
            "wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH only."
        ),
        "abfs": "Azure's data lake cannot be read by abfs addresses here.",
        "abfss": "Azure's data lake cannot be read by abfss addresses here.",
        "adl": "Azure's data lake cannot be read by adl addresses here.",
        "s3": "Amazon's S3 cannot be read by s3 addresses here.",
        "gs": "Google's storage cannot be read by gs addresses here.",
    }.get(scheme, f"Addresses that begin with {cut(scheme, 20)}: cannot be read here.")
    return f"{what} {_HELP}"


def _refused(text: str) -> InvalidInput:
    return InvalidInput.one("", text)
