"""What people changed: in a workspace, for its owners; in the whole studio, for administrators."""

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from studio.access import signed_in, workspace_for
from studio.audit import NOUNS
from studio.models import Role, Workspace
from studio.trail import Wanted, as_csv, changes_of, entries, wanted_of

PAGE_SIZE = 50
_LONGEST_ID = 2**63 - 1


@never_cache
@require_safe
def workspace_audit(request: HttpRequest, ws: str) -> HttpResponse:
    """The log of a workspace; its owners see it."""
    return _page(request, workspace_for(request, ws, Role.OWNER))


@never_cache
@require_safe
def site_audit(request: HttpRequest) -> HttpResponse:
    """The log of the studio, with who signed in."""
    _require_administrator(request)
    return _page(request, None)


@require_safe
def workspace_audit_csv(request: HttpRequest, ws: str) -> StreamingHttpResponse:
    """The same as a file, all of it."""
    workspace = workspace_for(request, ws, Role.OWNER)
    return _file(request, workspace, f"{workspace.name}-audit.csv")


@require_safe
def site_audit_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The same as a file, all of it."""
    _require_administrator(request)
    return _file(request, None, "audit.csv")


def _require_administrator(request: HttpRequest) -> None:
    if not signed_in(request).is_superuser:
        raise Http404


def _page(request: HttpRequest, workspace: Workspace | None) -> HttpResponse:
    wanted = wanted_of(request.GET.dict())
    rows = entries(workspace, wanted)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 20 and 0 < int(before) <= _LONGEST_ID:
        rows = rows.filter(id__lt=int(before))
    found = list(rows[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    query = _query(wanted)
    further = {**query, "before": str(shown[-1].pk)} if len(found) > PAGE_SIZE else {}
    context = {
        "workspace": workspace,
        "wanted": wanted,
        "problems": dict(wanted.problems),
        "nouns": NOUNS,
        "rows": [(entry, changes_of(entry)) for entry in shown],
        "is_first": not before,
        "newest": f"?{urlencode(query)}",
        "older": f"?{urlencode(further)}" if further else "",
        "query": urlencode(query),
    }
    return render(request, "settings/audit.html", context)


def _query(wanted: Wanted) -> dict[str, str]:
    """What was asked for, as a query."""
    found = {
        "person": wanted.person,
        "noun": wanted.noun,
        "since": wanted.since.isoformat() if wanted.since else "",
        "until": wanted.until.isoformat() if wanted.until else "",
    }
    return {name: value for name, value in found.items() if value}


def _file(
    request: HttpRequest, workspace: Workspace | None, filename: str
) -> StreamingHttpResponse:
    lines = as_csv(entries(workspace, wanted_of(request.GET.dict())))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response
