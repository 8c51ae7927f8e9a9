"""Icons, status badges and numbers for templates; the texts come from `studio.formatting`."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from studio import formatting
from studio.agents import browser_name

register = template.Library()

for _name in ("objective", "param", "plain", "delta", "count", "duration", "size", "memory"):
    register.filter(_name, getattr(formatting, _name))
register.filter("trial_colour", formatting.trial_colour)
register.filter("trial_dash", formatting.trial_dash)
register.filter("browser_name", browser_name)

MOST_SLOT_BARS = 8


@cache
def _sprite() -> str:
    """Its address, which is as good as the process: a table has hundreds of icons."""
    return static("icons.svg")


@register.simple_tag
def icon(name: str, extra: str = "", label: str = "") -> SafeString:
    """An icon of the sprite: decoration, unless `label` says what it means on its own."""
    meaning = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else SafeString('aria-hidden="true"')
    )
    return format_html(
        '<svg class="icon{}" {}><use href="{}#i-{}"></use></svg>',
        f" {extra}" if extra else "",
        meaning,
        _sprite(),
        name,
    )


@register.filter
def status_icon(status: str) -> str:
    """The icon's name; "" stands for the pulsing dot of what runs."""
    return formatting.status_look(status).icon


@register.filter
def status_family(status: str) -> str:
    """The colour family: neutral, blue, green, violet, red or amber."""
    return formatting.status_look(status).family


@register.filter
def status_label(status: str) -> str:
    """The words people read, for example "Early-terminated"."""
    return formatting.status_look(status).label


@register.simple_tag
def status_badge(status: str, pill: bool = True) -> SafeString:
    """Icon and word of a status, in its colour; with a tinted pill outside tables."""
    look = formatting.status_look(status)
    mark = (
        icon(look.icon, "spin" if look.icon == "loader" else "")
        if look.icon
        else SafeString('<i class="halo"></i>')
    )
    return format_html(
        '<span class="status family-{}{}">{}{}</span>',
        look.family,
        " pill" if pill else "",
        mark,
        look.label,
    )


@register.simple_tag
def progress_bar(counts: Mapping[str, int], total: int, thin: bool = False) -> SafeString:
    """The segmented bar of a sweep; its text is the accessible description."""
    segments = formatting.progress_segments(counts, total)
    words = ", ".join(f"{s.count} {s.label}" for s in segments) or "no trials yet"
    parts = format_html_join(
        "",
        '<i class="{}{}" style="--n:{}"></i>',
        ((s.key, f" family-{s.family}" if s.family else "", s.count) for s in segments),
    )
    return format_html(
        '<div class="progress-bar{}" role="img" aria-label="{}">{}</div>',
        " thin" if thin else "",
        words,
        parts,
    )


@register.filter
def progress_parts(counts: Mapping[str, int], total: int) -> list[formatting.Segment]:
    """The parts of a sweep's progress, for its legend."""
    return formatting.progress_segments(counts, total)


@register.simple_tag
def slot_bars(used: int, total: int) -> SafeString:
    """One bar per slot, filled where in use; many slots are scaled down to eight bars."""
    bars = min(total, MOST_SLOT_BARS)
    # Rounded up: a single busy slot of sixty-four shows.
    lit = -(-min(used, total) * bars // total) if total else 0
    return format_html(
        '<span class="slot-bars" aria-hidden="true">{}</span>',
        format_html_join("", "<i{}></i>", ((_lit(i < lit),) for i in range(bars))),
    )


def _lit(on: bool) -> SafeString:
    return SafeString(' class="on"') if on else SafeString("")


@register.filter
def timeago(moment: datetime | None) -> str:
    """A `<time>` that says how long ago; shell.js keeps it fresh, in the reader's time zone."""
    if moment is None:
        return formatting.MISSING
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        moment.isoformat(),
        formatting.absolute(moment),
        formatting.ago(moment, timezone.now()),
    )


@register.simple_tag
def trial_link(number: int, url: str, best: bool = False) -> SafeString:
    """A trial's number in its colour, starred when it is the best."""
    star = icon("star", label="best trial") if best else ""
    return format_html(
        '<span class="trial-link"><i class="trial-dot trial-c{}"></i><a href="{}">{}</a>{}</span>',
        formatting.trial_colour(number),
        url,
        number,
        star,
    )


@register.filter
def lookup(mapping: Mapping[Any, Any] | None, key: Any) -> Any:
    """`mapping[key]`, None where there is none; template dots cannot take a variable key."""
    return mapping.get(key) if mapping is not None else None
