"""Slack's incoming webhooks, and what takes the same: {"text": …}."""

import json

from sweeps.notify.base import Parcel
from sweeps.notify.http import post
from sweeps.notify.words import headline, lines, plain


def send(parcel: Parcel) -> str:
    """POST the notice as text. Raises NotSent."""
    [first, *rest] = [headline(parcel.payload, code), *lines(parcel.payload, code)]
    body = json.dumps({"text": "\n".join([first, *rest])}).encode()
    return post(parcel.address, {"webhook-id": parcel.uid}, body, private=parcel.private)


def code(text: str) -> str:
    """Text of others, as code: in it nobody is mentioned, nothing linked, nothing set in bold.

    `&`, `<` and `>` are Slack's only control characters.
    """
    line = plain(text).replace("`", "'")
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"`{line}`" if line else "(nothing)"
