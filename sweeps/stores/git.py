"""Where code comes from: the commit, branch and remote of its repository, and what was changed."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from sweeps.stores.code_files import SKIPPED, IgnoreRules, read_rules

# More is no change that anybody reads; the code itself is kept whole.
MAX_DIFF_BYTES = 2**18
_MAX_FILES = 1000
_TIMEOUT_S = 10
# No program that the repository's own configuration names is run, nothing is asked or written. More
# of the same: `_environment`.
_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")


@dataclass(frozen=True, slots=True)
class GitState:
    """The state of a folder in its repository. `remote` is without credentials, "" for none.

    `changed` and `untracked` count the folder's files that differ from the commit; `diff` is the
    text of the changes, without files that are not code, cut at `MAX_DIFF_BYTES`.
    """

    commit: str
    branch: str = ""
    remote: str = ""
    changed: int = 0
    untracked: int = 0
    diff: str = ""
    is_cut: bool = False

    @property
    def dirty(self) -> bool:
        """True if the code is not what was committed."""
        return bool(self.changed or self.untracked)


def read_git(folder: Path) -> GitState | None:
    """The state of a folder's repository; None where there is none, no commit, or no git."""
    try:
        if not _is_its_own(folder):
            return None
        commit = _git(folder, "rev-parse", "--verify", "HEAD").strip()
        branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD").strip()
        rules = read_rules(folder)
        changed = _code(
            rules, _git(folder, "diff", *_PLAIN, "--name-only", "-z", "HEAD", "--", ".")
        )
        others = _code(
            rules, _git(folder, "ls-files", "-z", "--others", "--exclude-standard", "--", ".")
        )
        diff, is_cut = _diff(folder, changed)
    except (OSError, subprocess.SubprocessError):
        return None
    branch = "" if branch == "HEAD" else branch
    return GitState(commit, branch, _remote(folder), len(changed), len(others), diff, is_cut)


# What is checked out within a submodule has a configuration of its own.
_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--relative", "--ignore-submodules=all")


def _is_its_own(folder: Path) -> bool:
    """False where `core.worktree` leads elsewhere: its changes would be files of other folders."""
    top = Path(_git(folder, "rev-parse", "--show-toplevel").rstrip("\n"))
    return folder.resolve().is_relative_to(top)


def _code(rules: IgnoreRules, names: str) -> list[str]:
    """Of NUL-separated names those that are code: others may hold what nobody should read."""
    return [name for name in names.split("\0") if name and not _left_out(rules, name)]


def _left_out(rules: IgnoreRules, name: str) -> bool:
    parts = name.split("/")
    folders = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
    if SKIPPED & set(parts[:-1]) or name.endswith(".pyc"):
        return True
    return any(rules.leaves_out(one, is_folder=True) for one in folders) or rules.leaves_out(name)


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *_SAFE, *words],  # noqa: S607 - as the PATH has it
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=True,
    )
    return done.stdout.decode(errors="replace")


def _environment(folder: Path) -> dict[str, str]:
    """What git needs to run; no GIT_DIR of whoever started the studio.

    Filters (`filter.<name>.clean`, which a diff would run) are off if the repository itself says
    what they are; nothing is fetched that a partial clone has left out.
    """
    found = _known()
    for number, name in enumerate(_own_filters(folder)):
        found |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": ""}
        found["GIT_CONFIG_COUNT"] = str(number + 1)
    return found


def _known() -> dict[str, str]:
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    return {**known, **quiet, "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}


def _own_filters(folder: Path) -> list[str]:
    """Names of the settings of filters that come from the repository's own configuration."""
    words = ("git", "config", "--show-scope", "--null", "--name-only", "--get-regexp")
    done = subprocess.run(
        (*words, r"^filter\."),
        cwd=folder,
        env=_known(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,  # 1: there is none
    )
    found = done.stdout.decode(errors="surrogateescape").split("\0")
    pairs = zip(found[::2], found[1::2], strict=False)
    return sorted({name for scope, name in pairs if scope not in ("system", "global")})


def _diff(folder: Path, names: list[str]) -> tuple[str, bool]:
    if not names:
        return "", False
    # The names as they are: one may look like a pattern.
    words = ("git", *_SAFE, "--literal-pathspecs", "diff", *_PLAIN, "HEAD", "--")
    with subprocess.Popen(
        [*words, *names[:_MAX_FILES]],
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        found = process.stdout.read(MAX_DIFF_BYTES + 1)
        process.kill()
    is_cut = len(found) > MAX_DIFF_BYTES or len(names) > _MAX_FILES
    return found[:MAX_DIFF_BYTES].decode(errors="replace"), is_cut


def _remote(folder: Path) -> str:
    try:
        names = _git(folder, "remote").split()
        name = "origin" if "origin" in names or not names else names[0]
        return without_credentials(_git(folder, "remote", "get-url", name).strip())
    except (OSError, subprocess.SubprocessError):
        return ""


def without_credentials(url: str) -> str:
    """A remote's address without user, password and query; "" for what is no address."""
    if "://" not in url:
        return url  # git@host:path and folders hold none
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def as_document(state: GitState, diff: str) -> dict[str, object]:
    """What is kept of a state with the code; `diff` names where its text is kept."""
    return {
        "commit": state.commit,
        "branch": state.branch,
        "remote": state.remote,
        "changed": state.changed,
        "untracked": state.untracked,
        "diff": diff,
        "is_cut": state.is_cut,
    }
