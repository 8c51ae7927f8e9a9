"""The command of the new-sweep form and the search-space rows that it names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sweeps.domain.command import Placeholder
from sweeps.forms import edit
from sweeps.forms.draft import Draft
from sweeps.forms.rows import Row
from sweeps.stores.propose import Proposal
from sweeps.views import new_sweep_code as code


def path_of(row: Row, rows: Mapping[str, Row]) -> str:
    """The dotted name of a parameter: "boosting.drop_rate"."""
    names = [row.name.strip()]
    for _ in rows:  # as deep as there are rows: posted parents may run in a circle
        if row.parent not in rows:
            break
        row = rows[row.parent]
        names.insert(0, row.name.strip())
    return ".".join(names)


def placeholder(row: Row, rows: Mapping[str, Row], has_nested: bool) -> str:
    """How the command names a parameter; a choice with nested ones is a mapping with a tag."""
    tag = f".{row.tag}" if has_nested else ""
    return str(Placeholder("search_space", path_of(row, rows) + tag))


def use(draft: Draft, key: str) -> Draft:
    """Put a parameter into the command, as its place in the search space asks for."""
    rows = {row.key: row for row in draft.rows}
    row = rows.get(key)
    if row is None or not row.name.strip():
        return draft
    command = draft["command"].rstrip()
    has_nested = any(other.parent == key for other in draft.rows)
    plain = _pattern(path_of(row, rows))
    if has_nested and plain.search(command):
        return draft.having(command=_put(plain, placeholder(row, rows, True), command))
    if placeholder(row, rows, has_nested) in command:
        return draft
    flag = code.flag_of(draft["code"], draft["entry"], row.name.strip())
    part = f"{flag} {placeholder(row, rows, has_nested)}"
    part = f"$[[{part}]]" if row.parent else part
    is_long = len(command.rpartition("\n")[2]) + len(part) > code.LINE
    between = "\n  " if is_long and command else " "
    return draft.having(command=f"{command}{between}{part}".lstrip())


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(r"\$\{\{\s*search_space\." + re.escape(path) + r"\s*\}\}")


def _put(pattern: re.Pattern[str], text: str, command: str) -> str:
    """The command with `text` as it stands where the pattern was."""
    return pattern.sub(lambda _: text, command)


# --- Removing -----------------------------------------------------------------------------------


def remove(draft: Draft, key: str) -> Draft:
    """Without a row and what is nested in it, also in a command that nobody has edited.

    What people wrote is theirs: there the check of the form says which placeholder has no row.
    """
    left = tuple(edit.remove(list(draft.rows), key))
    after = replace(draft, rows=left)
    if not _is_generated(draft):
        return after
    before, now = _paths(draft.rows), _paths(left)
    gone = [row for row in draft.rows if before[row.key] not in now.values()]
    text = _untagged(_without(draft["command"], gone, draft.rows, draft), left)
    return after.having(command="\n".join(line for line in text.splitlines() if line.strip()))


def _paths(rows: Sequence[Row]) -> dict[str, str]:
    known = {row.key: row for row in rows}
    return {row.key: path_of(row, known) for row in rows}


def _is_generated(draft: Draft) -> bool:
    """True if the command is what the script proposed, but for the rows that came and went."""
    found = code.proposal_of(draft["code"], draft["entry_read"])
    if found is None:
        return False
    proposed = _proposed_rows(found)
    own = _without(draft["command"], draft.rows, draft.rows, draft)
    return own.split() == _without(found.command, proposed, proposed, draft).split()


def _proposed_rows(found: Proposal) -> list[Row]:
    return [Row(str(index), row["name"], row["type"]) for index, row in enumerate(found.rows)]


def _without(command: str, gone: Sequence[Row], rows: Sequence[Row], draft: Draft) -> str:
    """The command without what stands there for some of its rows."""
    known = {row.key: row for row in rows}
    for row in gone:
        if row.name.strip():
            flag = code.flag_of(draft["code"], draft["entry_read"], row.name.strip())
            command = _part(path_of(row, known), row.tag, flag).sub("", command)
    return command


def _part(path: str, tag: str, flag: str) -> re.Pattern[str]:
    """A parameter in the command, with its option: --lr ${{…}}, --lr=${{…}}, $[[--c ${{…}}]]."""
    named = re.escape(path) + rf"(?:\.{re.escape(tag)})?"
    value = r"\$\{\{\s*search_space\." + named + r"\s*\}\}"
    return re.compile(rf"(?:^|\s+)(?:\$\[\[)?(?:{re.escape(flag)}(?:=|\s+))?{value}(?:\]\])?(?!\S)")


def _untagged(command: str, rows: Sequence[Row]) -> str:
    """A choice that has lost its last nested row is no mapping any more."""
    known = {row.key: row for row in rows}
    parents = {row.parent for row in rows}
    for row in rows:
        if row.type == "choice" and row.key not in parents and row.name.strip():
            tagged = _pattern(f"{path_of(row, known)}.{row.tag}")
            command = _put(tagged, placeholder(row, known, False), command)
    return command
