"""Names of data and code that only another place knows: assets of an Azure workspace, git."""

import re

# Code that was handed in before is named by its digest after this.
KEPT_CODE = "studio:"
_PREFIX = "azureml:"
_ASSET = re.compile(r"[\w.-]+(:[\w.-]+|@[\w.-]+)")


def is_asset(name: str) -> bool:
    """True for NAME:VERSION and NAME@LABEL, as they are or after azureml:."""
    return bool(_ASSET.fullmatch(name.removeprefix(_PREFIX)))


def is_far_code(name: str) -> bool:
    """True for code that is named by an address, or as an asset, and not by a folder."""
    return "://" in name or (is_asset(name) and not name.startswith(KEPT_CODE))


def without_prefix(path: str) -> str:
    """A path or address without the azureml: that Azure's client puts before it.

    What Azure alone knows keeps it: places in a workspace (azureml://…) and assets, which without
    it could be files. Code that the studio keeps, azureml:studio:<digest>, is none of them.
    """
    rest = path.removeprefix(_PREFIX)
    if rest.startswith(KEPT_CODE):
        return rest
    return path if rest.startswith("//") or is_asset(rest) else rest
