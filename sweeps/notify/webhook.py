"""Signed webhooks, by the Standard Webhooks specification, whose libraries verify them."""

import base64
import hashlib
import hmac
import json

from sweeps.notify.base import Parcel
from sweeps.notify.http import post


def send(parcel: Parcel) -> str:
    """POST the notice as JSON. Raises NotSent."""
    body = json.dumps(parcel.payload, allow_nan=False, separators=(",", ":")).encode()
    seconds = int(parcel.at.timestamp())
    headers = {
        "webhook-id": parcel.uid,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature(parcel.secret, parcel.uid, seconds, body),
    }
    return post(parcel.address, headers, body, private=parcel.private)


def signature(secret: str, uid: str, seconds: int, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`.

    `secret` is `whsec_` and the base64 of the key.
    """
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{uid}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
