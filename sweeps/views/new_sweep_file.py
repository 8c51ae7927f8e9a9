"""The new-sweep form as a job file: from one to the other and back, and what is wrong in it."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from studio.models import Workspace
from sweeps import intake
from sweeps.domain.elsewhere import is_far_code
from sweeps.domain.job import SweepJob
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import listed, shown
from sweeps.forms.checked import Checked, check, kept_of
from sweeps.forms.comments import with_comments
from sweeps.forms.draft import Draft, from_post, to_post
from sweeps.forms.file_text import file_text
from sweeps.forms.from_file import draft_of, not_shown
from sweeps.models import CodeSnapshot
from sweeps.queries.computes import resolve_compute
from sweeps.queries.secrets import with_kept_values
from sweeps.services.room import require_disk
from sweeps.spec.reader import placed, read_job, tool_of
from sweeps.spec.writer import job_to_doc
from sweeps.spec.yaml_text import MAX_BYTES
from sweeps.views.new_sweep_actions import CODE, YAML, Page, code_texts

SIDES = ("to_yaml", "to_form")


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What reading a job file gave: a job, or what to mend and on which line."""

    job: SweepJob | None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def with_lines(self) -> list[Problem]:
        """The problems in the order of their lines."""
        return sorted(self.problems, key=lambda one: (one.line or 1, one.column or 1))


# --- From one to the other ----------------------------------------------------------------------


def switched(page: Page, action: str, workspace: Workspace) -> Page:
    """The page on its other side; on the side of the file if the form cannot show it."""
    if action == "to_yaml" and page.side != YAML:
        return _to_file(page)
    if action == "to_form" and page.side == YAML:
        return _to_form(page, workspace)
    return page


def _to_file(page: Page) -> Page:
    written = file_text(page.draft)
    is_untouched = bool(page.file) and _mark(written) == page.basis
    old = "" if tool_of(page.file) else page.file  # whose comments have no like in a job file
    text = page.file if is_untouched else with_comments(written, old)
    return replace(page, side=YAML, file=text, basis=_mark(text), form=to_post(page.draft))


def _to_form(page: Page, workspace: Workspace) -> Page:
    if page.form and _mark(page.file) == page.basis:
        draft = _beside(from_post(QueryDict(page.form)), page.draft)
        return replace(page, side="", draft=draft, basis=_mark(file_text(draft)), form="")
    return opened(page, workspace)


def opened(page: Page, workspace: Workspace) -> Page:
    """The page with its file in the form; with the file where the form cannot show it."""
    page = replace(page, side=YAML)
    try:
        job = read_job(page.file)
    except InvalidInput:
        return page  # which the file's own errors say
    draft = draft_of(job, page.file)
    if hidden := not_shown(job, draft):
        names = listed(hidden)
        text = f"The form cannot show {names} as the file has it. It stays a file; submit it here."
        return page.with_error("file", InvalidInput.one("", text))
    draft = draft.having(compute=_compute(job, workspace))
    page = with_code(replace(page, draft=_beside(draft, page.draft)), job, workspace)
    mark = _mark(file_text(page.draft))
    return replace(page, side="", basis=mark, form="", before="", read_note="", shown=False)


def _compute(job: SweepJob, workspace: Workspace) -> str:
    """The compute on which the job will run: the form lists no others."""
    try:
        return resolve_compute(workspace, job.compute, settings.STUDIO_COMPUTE_ALIAS)[0].name
    except InvalidInput:
        return job.compute or ""


def _beside(draft: Draft, now: Draft) -> Draft:
    """A draft with the code that there is now."""
    code = {name: now[name] for name in CODE}
    return replace(draft.having(**code), metrics=now.metrics)


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


# --- Code ---------------------------------------------------------------------------------------


def with_code(page: Page, job: SweepJob, workspace: Workspace) -> Page:
    """The page with the code that the file names, if that is on this machine."""
    if not is_new_code(job, page.draft):
        return page
    name = job.code or ""
    try:
        if name.startswith(intake.KEPT_CODE):
            kept = intake.named_code(workspace, name)
        else:
            require_disk(workspace)
            kept = intake.keep_folder(workspace, name)
    except InvalidInput as error:
        return page.with_error("code", error)
    texts = code_texts(kept, job.command) | {"code_origin": kept.origin if ":" in name else name}
    return replace(page, draft=page.draft.having(**texts))


def with_named_code(page: Page, workspace: Workspace) -> Page:
    """The page with the code that its file names, if the file can be read."""
    try:
        return with_code(page, read_job(page.file), workspace)
    except InvalidInput:
        return page  # which the check of the file says


def is_new_code(job: SweepJob, draft: Draft) -> bool:
    """True if the file names code that can be had by its name, and is not the one there is."""
    name = job.code or ""
    if name.startswith(intake.KEPT_CODE):
        return name.removeprefix(intake.KEPT_CODE) != draft["code"]
    return name.startswith(("/", "~")) and not (draft["code"] and name == draft["code_origin"])


def missing_code(name: str | None, has_code: bool) -> str:
    """What to do about code that lies beside the file, wherever that is; "" if nothing."""
    if not name or has_code or name.startswith(("/", "~", intake.KEPT_CODE)):
        return ""
    if is_far_code(name):
        return (
            f"The job file has its code at {shown(name)}, which is not fetched from here. Upload "
            "it as .zip, or name its folder on this machine."
        )
    return (
        f"The job file has its code in {shown(name)}, seen from where the file lies, which a "
        "browser does not tell. Upload it as .zip, or name its folder on this machine."
    )


# --- Checking -----------------------------------------------------------------------------------


def check_file(workspace: Workspace, page: Page, code: CodeSnapshot | None) -> FileCheck:
    """Everything that Submit would refuse or note, with its line."""
    try:
        job = read_job(page.file)
    except InvalidInput as error:
        return FileCheck(None, error.problems)
    if is_new_code(job, page.draft):
        note = f"The code is {shown(job.code)}, as the file says."
        return FileCheck(job, (), (*job.notes, note))  # what is in it is known once it is kept
    problems: list[Problem] = []
    notes = list(job.notes)
    if text := missing_code(job.code, code is not None):
        problems.append(Problem("trial.code", text))
    else:
        try:
            whole = with_kept_values(job, workspace, page.draft["former"])
            notes = intake.check(workspace, whole, code)
        except InvalidInput as error:
            problems += error.problems
    found = in_file(problems, page.file)
    return FileCheck(None if found else job, found, tuple(notes))


def foreign_notes(text: str, told: Collection[str]) -> dict[str, Any]:
    """What reading another tool's file noted and is not told anyway, and the tool's name."""
    tool = tool_of(text)
    if not tool:
        return {}
    try:
        notes = read_job(text).notes
    except InvalidInput:
        return {"file_tool": tool}
    return {"file_tool": tool, "file_notes": [note for note in notes if note not in told]}


def in_file(problems: Iterable[Problem], text: str) -> tuple[Problem, ...]:
    """Problems with their lines in the file."""
    return tuple(placed(problems, text))


def rail_of(found: FileCheck, page: Page) -> tuple[Draft, Checked]:
    """What the review shows of a file: its draft, and its parts as a checked form has them."""
    if found.job is None:
        empty = Draft().having(primary_metric="", max_total_trials="")
        return empty, check(empty)
    job = found.job
    doc: dict[str, Any] = job_to_doc(job)
    if job.early_termination:
        doc["early_termination"] = {"type": job.early_termination.type} | dict(
            job.early_termination.options
        )
    draft = _beside(draft_of(job, page.file), page.draft)
    return draft, Checked(job=job, doc=doc, notes=found.notes)


# --- A file from outside ------------------------------------------------------------------------


def text_of(file: UploadedFile | None) -> str:
    """The text of an uploaded job file. Raises InvalidInput with what is wrong with it."""
    if file is None:
        raise InvalidInput.one("", "Choose a job file first: YAML, as Azure ML's tools read it.")
    name = shown(file.name or "The file")
    if (file.size or 0) > MAX_BYTES:
        text = f"{name} is no job file: these have {MAX_BYTES // 1024} KiB at most."
        raise InvalidInput.one("", text)
    data = file.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InvalidInput.one("", f"{name} is not text; a job file is YAML in UTF-8.")
    return text.replace("\r\n", "\n")


def code_wanted(draft: Draft) -> str:
    """The folder that the file of this draft named for its code, in words that ask for it."""
    name = kept_of(draft).get("code")
    return missing_code(name if isinstance(name, str) else None, bool(draft["code"]))
