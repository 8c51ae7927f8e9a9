"""Settings of a workspace: whom it tells of its sweeps, and what became of that."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from studio.access import may_in, signed_in, workspace_for
from studio.models import Role, Workspace
from sweeps.domain.notices import ChannelKind, Event
from sweeps.forms.channel import NO_MAIL, ChannelForm
from sweeps.models import Channel, Delivery
from sweeps.queries import notices as queries
from sweeps.queries.clock import database_now
from sweeps.queries.waiting import part_down
from sweeps.services import channels as services
from sweeps.services import notices
from sweeps.views.lists import wants_fragment

# Tries that come sooner are waited for by the page.
_SOON = timedelta(seconds=45)
_KINDS = {
    ChannelKind.EMAIL: ("E-mail", "mail"),
    ChannelKind.WEBHOOK: ("Webhook", "webhook"),
    ChannelKind.SLACK: ("Slack-compatible", "bell"),
}
_EVENTS = {
    Event.COMPLETED: "completed",
    Event.CANCELED: "canceled",
    Event.FAILED: "failed",
    Event.PAUSED: "paused by the studio",
    Event.NEW_BEST: "new best",
    Event.TEST: "test",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A channel in the list."""

    channel: Channel
    kind: str
    icon: str
    topics: str


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery in the list: a badge, what it is of, and whether trying (again) can be asked."""

    delivery: Delivery
    label: str
    family: str
    icon: str
    event: str
    sweep: str

    @property
    def may_retry(self) -> bool:
        """Once a try went wrong."""
        row = self.delivery
        return row.state == Delivery.FAILED or (row.state == Delivery.WAITING and row.tries > 0)


def _row(channel: Channel) -> Row:
    named = ((channel.on_ended, "ends"), (channel.on_broken, "breaks"), (channel.on_best, "best"))
    kind, icon = _KINDS[ChannelKind(channel.kind)]
    return Row(channel, kind, icon, ", ".join(word for wanted, word in named if wanted))


def _told(row: Delivery) -> Told:
    look = {
        Delivery.SENT: ("Sent", "green", "circle-check"),
        Delivery.FAILED: ("Given up", "red", "circle-x"),
        Delivery.SENDING: ("Sending", "blue", "loader"),
    }.get(row.state) or (
        ("Trying again", "amber", "refresh") if row.tries else ("Waiting", "neutral", "clock")
    )
    data = row.payload.get("data", {})
    name = data.get("display_name") or data.get("sweep", "")
    return Told(row, *look, _EVENTS[Event(row.event)], name)


def _context(request: HttpRequest, workspace: Workspace) -> dict[str, Any]:
    now = database_now()
    told = [_told(row) for row in queries.recent_deliveries(workspace)]
    open_ones = [one.delivery for one in told if one.delivery.ended_at is None]
    return {
        "workspace": workspace,
        "is_owner": may_in(request, workspace, Role.OWNER),
        "rows": [_row(channel) for channel in queries.channels_of(workspace)],
        "told": told,
        "is_live": any(row.due_at < now + _SOON for row in open_ones),
        "why": part_down(now) if open_ones else "",
    }


def _page(request: HttpRequest, workspace: Workspace, **more: Any) -> HttpResponse:
    return render(request, "notifications/list.html", _context(request, workspace) | more)


@require_safe
def notification_list(request: HttpRequest, ws: str) -> HttpResponse:
    """Channels and what was delivered; htmx gets the deliveries alone."""
    workspace = workspace_for(request, ws, Role.CONTRIBUTOR)
    if wants_fragment(request):
        context = _context(request, workspace)
        return render(request, "notifications/_deliveries.html", context)
    return _page(request, workspace)


@never_cache
@require_http_methods(["GET", "POST"])
def channel_new(request: HttpRequest, ws: str) -> HttpResponse:
    """A form for a new channel; the answer to a webhook's is the only one that shows its secret."""
    workspace = workspace_for(request, ws, Role.OWNER)
    channel = Channel(workspace=workspace, created_at=database_now())
    form = ChannelForm(request.POST if request.method == "POST" else None, instance=channel)
    if request.method == "POST" and form.is_valid():
        secret = services.create_channel(form.save(commit=False))
        if secret:
            return _page(request, workspace, fresh=channel, secret=secret)
        messages.success(request, f"The channel “{channel.name}” is added. Send it a test.")
        return redirect("notification_list", ws=ws)
    return _form(request, workspace, form)


def _form(
    request: HttpRequest, workspace: Workspace, form: ChannelForm, stored: Channel | None = None
) -> HttpResponse:
    context = {
        "workspace": workspace,
        "form": form,
        "stored": stored,
        "kind": stored.kind if stored else form["kind"].value(),
        "shown": _row(stored) if stored else None,
        "no_mail": "" if settings.STUDIO_SMTP_URL else NO_MAIL,
    }
    status = 422 if form.errors else 200
    return render(request, "notifications/edit.html", context, status=status)


def _channel(request: HttpRequest, ws: str, pk: int) -> Channel:
    workspace = workspace_for(request, ws, Role.OWNER)
    rows = Channel.objects.filter(workspace=workspace).select_related("workspace")
    return get_object_or_404(rows, pk=pk)


@require_http_methods(["GET", "POST"])
def channel(request: HttpRequest, ws: str, pk: int) -> HttpResponse:
    """A form for a channel that there is."""
    found, stored = _channel(request, ws, pk), _channel(request, ws, pk)
    form = ChannelForm(request.POST if request.method == "POST" else None, instance=found)
    if request.method == "POST" and form.is_valid():
        services.save_channel(form.save(commit=False), database_now())
        messages.success(request, f"The channel “{found.name}” is saved.")
        return redirect("notification_list", ws=ws)
    return _form(request, stored.workspace, form, stored)


@never_cache
@require_POST
def channel_secret(request: HttpRequest, ws: str, pk: int) -> HttpResponse:
    """A new signing secret; this answer is the only one that shows it."""
    found = _channel(request, ws, pk)
    if found.kind != ChannelKind.WEBHOOK:
        return redirect("notification_list", ws=ws)
    secret = services.renew_secret(found)
    return _page(request, found.workspace, fresh=found, secret=secret)


@require_POST
def channel_delete(request: HttpRequest, ws: str, pk: int) -> HttpResponse:
    """Tell it nothing more."""
    found = _channel(request, ws, pk)
    services.delete_channel(found)
    messages.success(request, f"The channel “{found.name}” is deleted.")
    return redirect("notification_list", ws=ws)


@require_POST
def channel_test(request: HttpRequest, ws: str, pk: int) -> HttpResponse:
    """Send a test, whose result the list of deliveries shows within seconds."""
    found = _channel(request, ws, pk)
    notices.send_test(found, signed_in(request).username, database_now())
    return redirect("notification_list", ws=ws)


@require_POST
def delivery_retry(request: HttpRequest, ws: str, pk: int) -> HttpResponse:
    """Begin anew with what was given up, or try now what would be tried later."""
    rows = Delivery.objects.filter(channel__workspace=workspace_for(request, ws, Role.OWNER))
    found = get_object_or_404(rows.select_related("channel"), pk=pk)
    if not found.channel.is_on:
        messages.error(request, f"The channel “{found.channel.name}” is off. Turn it on first.")
    elif not notices.try_again(found, database_now()):
        messages.error(request, "It has been sent already, or is being sent.")
    return redirect("notification_list", ws=ws)
