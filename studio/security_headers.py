"""What every answer tells the browser: where things may come from, what it may do and keep."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]

_NO_PERMISSION = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "microphone", "midi",
    "payment", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip


def _plain_style() -> str:
    """The style sheet of pages that stand alone, as when something broke, by its hash."""
    page = (settings.BASE_DIR / "templates" / "_plain.html").read_text()
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


_STYLES = f"style-src-elem 'self' 'sha256-{_plain_style()}'"
# Scripts and style sheets are files of our own. Attributes may have style: bars have widths, and
# Plotly places what it draws so. `style-src` is for browsers that know no difference.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "script-src-attr 'none'",
        "style-src 'self' 'unsafe-inline'",
        _STYLES,
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _NO_PERMISSION),
    "X-Content-Type-Options": "nosniff",
    # After signing out Back must show nothing; files of our own and what has an ETag say otherwise.
    "Cache-Control": "no-store",
}


class _Nonce:
    """A word that lets one page's script add style sheets; made when the page asks for it."""

    value = ""

    def __str__(self) -> str:
        self.value = self.value or secrets.token_urlsafe(16)
        return self.value


def security_headers(get_response: Handler) -> Handler:
    """Add to each answer, static files and errors too, what its view has not said itself.

    A page whose script makes style sheets (the editor of job files) hands it
    `request.style_nonce`.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        nonce = request.style_nonce = _Nonce()  # type: ignore[attr-defined]
        response = get_response(request)
        if nonce.value:
            allowed = f"{_STYLES} 'nonce-{nonce.value}'"
            policy = CONTENT_SECURITY_POLICY.replace(_STYLES, allowed)
            response.setdefault("Content-Security-Policy", policy)
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        return response

    return middleware
