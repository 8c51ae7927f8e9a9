"""What the buttons of the new-sweep form do: each takes the page as posted and gives the next."""

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from studio.models import Workspace
from sweeps import intake
from sweeps.domain.problems import InvalidInput
from sweeps.forms import edit
from sweeps.forms.checked import LABELS, FieldError, kept_of
from sweeps.forms.draft import Draft, InputRow, VariableRow, from_post
from sweeps.models import CodeSnapshot
from sweeps.views import new_sweep_code as code
from sweeps.views import new_sweep_command as command
from sweeps.views.new_sweep_rules import with_first

Files = MultiValueDict[str, UploadedFile]
YAML = "yaml"
MISSING_CODE = "This code is not kept in this workspace; upload it again."
# What a posted page carries that is no part of the draft.
_CARRIED = (
    "csrfmiddlewaretoken", "action", "before", "read_note", "shown", "example", "dry_run", "file",
    "basis", "form", "side",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """The form as posted, and what travels with it.

    `before` is the form as it was before a script was read into it, `read_note` what that filled
    in; `shown` says that a submit was tried, so that empty fields are told too; `example` counts
    the example trials drawn; `dry_run` names the dry run that is shown; `ticket` tells a double
    click from a second sweep.

    `side` is what one writes in, the form ("") or the job file (YAML); `file` is the file's text.
    While the file is shown, `form` is the form as it was left and `basis` the fingerprint of the
    text that the studio wrote for it: an untouched file leads back to that very form. While the
    form is shown, `basis` is the fingerprint of the draft that was read from `file`: an untouched
    form leads back to that very text.
    """

    draft: Draft
    before: str = ""
    read_note: str = ""
    shown: bool = False
    example: int = 0
    dry_run: str = ""
    ticket: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    errors: tuple[FieldError, ...] = ()
    side: str = ""
    file: str = ""
    basis: str = ""
    form: str = ""

    def with_error(self, field: str, error: InvalidInput) -> "Page":
        """The page with what an action could not do."""
        label = LABELS.get(field.split(".")[0], field)
        found = tuple(FieldError(field, label, problem.message) for problem in error.problems)
        return replace(self, errors=(*self.errors, *found))


def page_of(post: QueryDict, workspace: Workspace) -> Page:
    """What was posted; code that is not this workspace's is let go, with an error."""
    example = post.get("example", "")
    draft = _draft_of(post)
    if not draft["code"] or owns(workspace, draft["code"]):
        return _carried(post, draft, example)
    gone = InvalidInput.one("", MISSING_CODE)
    bare = draft.having(code="", code_origin="", entry="", entry_read="")
    return _carried(post, bare, example).with_error("code", gone)


CODE = ("code", "code_origin", "code_folder", "entry", "entry_read")


def _draft_of(post: QueryDict) -> Draft:
    """The form as posted; beside the job file only the code is, and the rest packed."""
    draft = from_post(post)
    if post.get("side") != YAML:
        return draft
    form = from_post(QueryDict(post.get("form", ""))) if post.get("form") else Draft()
    return replace(form.having(**{name: draft[name] for name in CODE}), metrics=draft.metrics)


def _carried(post: QueryDict, draft: Draft, example: str) -> Page:
    return Page(
        draft=draft,
        before=post.get("before", ""),
        read_note=post.get("read_note", ""),
        shown=post.get("shown") == "1",
        example=int(example) if re.fullmatch(r"\d{1,6}", example) else 0,
        dry_run=post.get("dry_run", ""),
        ticket=post.get("ticket", ""),
        side=YAML if post.get("side") == YAML else "",
        file=post.get("file", "").replace("\r\n", "\n"),
        basis=post.get("basis", ""),
        form=post.get("form", ""),
    )


def act(page: Page, action: str, post: QueryDict, files: Files, workspace: Workspace) -> Page:
    """The page after a button, whatever files came with it; unknown buttons change nothing."""
    page = _acted(page, action, post, files, workspace)
    return replace(page, draft=with_first(page.draft))


def _acted(page: Page, action: str, post: QueryDict, files: Files, workspace: Workspace) -> Page:
    if page.side == YAML:
        return _acted_beside_file(page, action, files, workspace)
    page = _take_data(page, files, workspace)
    if file := files.get("code_file"):
        return _take_code(page, post, "code_file", lambda: code.keep_upload(workspace, file))
    kind, _, argument = action.partition("-")
    match kind:
        case "upload":
            error = InvalidInput.one("", "Choose a .py, .zip or .tar.gz first.")
            return page.with_error("code_file", error)
        case "use_folder":
            folder = page.draft["code_folder"]
            return _take_code(
                page, post, "code_folder", lambda: code.keep_folder(workspace, folder)
            )
        case "undo_read":
            return _undo(page)
        case "another_draw":
            return replace(page, example=page.example + 1)
        case _ if kind in _EDITS:
            return replace(page, draft=_EDITS[kind](page.draft, argument))
    return _reread(page, post)


def _acted_beside_file(page: Page, action: str, files: Files, workspace: Workspace) -> Page:
    """The job file says everything but where its code is."""
    if file := files.get("code_file"):
        return _keep_code(page, "code_file", lambda: code.keep_upload(workspace, file))
    match action:
        case "upload":
            error = InvalidInput.one("", "Choose a .py, .zip or .tar.gz first.")
            return page.with_error("code_file", error)
        case "use_folder":
            folder = page.draft["code_folder"]
            return _keep_code(page, "code_folder", lambda: code.keep_folder(workspace, folder))
        case "another_draw":
            return replace(page, example=page.example + 1)
    return page


# --- Files --------------------------------------------------------------------------------------


def _take_data(page: Page, files: Files, workspace: Workspace) -> Page:
    """Keep uploaded inputs; where each lies becomes its input's value."""
    for key, file in files.items():
        index = key.removeprefix("input_file-")
        if index == key or not index.isdecimal() or int(index) >= len(page.draft.inputs):
            continue
        try:
            kept = code.keep_data(workspace, file)  # type: ignore[arg-type]
        except InvalidInput as error:
            page = page.with_error(f"inputs.{index}.value", error)
            continue
        inputs = list(page.draft.inputs)
        name = inputs[int(index)].name or re.sub(r"\W", "_", kept.name.partition(".")[0])
        inputs[int(index)] = InputRow(name, "uri_file", str(intake.data_place(kept)))
        page = replace(page, draft=replace(page.draft, inputs=tuple(inputs)))
    return page


def _keep_code(page: Page, field: str, keep: Callable[[], CodeSnapshot]) -> Page:
    """The page with other code, of which nothing is read."""
    try:
        kept = keep()
    except InvalidInput as error:
        return page.with_error(field, error)
    return replace(page, draft=page.draft.having(**code_texts(kept, page.draft["command"])))


def code_texts(kept: CodeSnapshot, command: str) -> dict[str, str]:
    """What the fields on the code hold for a snapshot whose script is not read (again)."""
    entry = code.entry_of(kept.digest, command)
    return {
        "code": kept.digest,
        "code_origin": kept.origin,
        "code_folder": "",
        "entry": entry,
        "entry_read": entry,
    }


def _take_code(page: Page, post: QueryDict, field: str, keep: Callable[[], CodeSnapshot]) -> Page:
    try:
        kept = keep()
    except InvalidInput as error:
        return page.with_error(field, error)
    origin = page.draft["code_folder"].strip() if kept.origin.startswith("/") else kept.origin
    texts = {"code": kept.digest, "code_origin": origin or kept.origin, "code_folder": ""}
    entry = page.draft["entry"]
    if entry not in code.scripts_of(kept.digest):
        entry = code.entry_of(kept.digest, page.draft["command"])
    draft = _drop_code(page.draft, "")  # what a job file named gives way to this
    return _read(page, draft.having(**texts, entry=entry), post)


def _reread(page: Page, post: QueryDict) -> Page:
    """Read another script when the person has chosen one."""
    draft = page.draft
    if not draft["code"] or draft["entry"] == draft["entry_read"]:
        return page
    if draft["entry"] not in code.scripts_of(draft["code"]):
        return page
    return _read(page, draft, post)


def _read(page: Page, draft: Draft, post: QueryDict) -> Page:
    """Fill in what the entry script of `draft` proposes."""
    entry = draft["entry"]
    found = code.proposal_of(draft["code"], entry)
    if found is None:
        return replace(page, draft=draft, read_note="", before="")
    old = page.draft
    earlier = code.proposal_of(old["code"], old["entry_read"])
    filled, said = code.fill(draft.having(entry_read=entry), found, earlier)
    note = _capital(", ".join(said)) if said else "Nothing was changed: the form is filled in."
    return replace(
        page, draft=filled, read_note=note, before=page.before if earlier else _packed(post)
    )


def owns(workspace: Workspace, digest: str) -> bool:
    """True if the snapshot is one of this workspace: a digest alone opens nothing."""
    return CodeSnapshot.objects.filter(workspace=workspace, digest=digest).exists()


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _packed(post: QueryDict) -> str:
    """The draft as posted, to come back to."""
    copy = post.copy()
    for name in _CARRIED:
        copy.pop(name, None)
    return copy.urlencode()


def _undo(page: Page) -> Page:
    """The form as it was before the script was read; the code stays."""
    if not page.before:
        return page
    kept = {name: page.draft[name] for name in ("code", "code_origin", "entry", "entry_read")}
    draft = replace(from_post(QueryDict(page.before)).having(**kept), metrics=page.draft.metrics)
    return replace(page, draft=draft, before="", read_note="")


# --- Edits --------------------------------------------------------------------------------------

_Edit = Callable[[Draft, str], Draft]


def _row_edit(change: edit.Edit) -> _Edit:
    return lambda draft, key: replace(draft, rows=tuple(change(list(draft.rows), key)))


def _add_input(draft: Draft, _: str) -> Draft:
    return replace(draft, inputs=(*draft.inputs, InputRow()))


def _remove_input(draft: Draft, index: str) -> Draft:
    kept = tuple(row for at, row in enumerate(draft.inputs) if str(at) != index)
    return replace(draft, inputs=kept)


def _add_variable(draft: Draft, _: str) -> Draft:
    return replace(draft, variables=(*draft.variables, VariableRow()))


def _remove_variable(draft: Draft, index: str) -> Draft:
    kept = tuple(row for at, row in enumerate(draft.variables) if str(at) != index)
    return replace(draft, variables=kept)


def _drop_first(draft: Draft, _: str) -> Draft:
    """Without the further first trials that a clone brought along."""
    kept = {key: part for key, part in kept_of(draft).items() if key != "first_trials"}
    return draft.having(kept=json.dumps(kept) if kept else "")


def _drop_warm(draft: Draft, _: str) -> Draft:
    """Without the earlier trials that its sampler would start with."""
    kept = {key: part for key, part in kept_of(draft).items() if key != "warm_start"}
    return draft.having(kept=json.dumps(kept) if kept else "")


def _own_sampler(draft: Draft, _: str) -> Draft:
    """With the sampler that the sweep had which this one follows, and all that was set for it."""
    before = draft["algorithm_before"]
    return draft.having(algorithm=before, algorithm_before="") if before else draft


def _drop_code(draft: Draft, _: str) -> Draft:
    """Without the folder that a job file named for its code."""
    kept = {key: part for key, part in kept_of(draft).items() if key != "code"}
    return draft.having(kept=json.dumps(kept) if kept else "")


def _metric(draft: Draft, name: str) -> Draft:
    return draft.having(**code.metric_texts(name))


_EDITS: dict[str, _Edit] = {
    **{name: _row_edit(change) for name, change in edit.EDITS.items()},
    "add_input": _add_input,
    "remove_input": _remove_input,
    "add_variable": _add_variable,
    "remove_variable": _remove_variable,
    "drop_first": _drop_first,
    "drop_warm": _drop_warm,
    "own_sampler": _own_sampler,
    "metric": _metric,
    "drop_code": _drop_code,
    "remove": command.remove,
    "use": command.use,
}
