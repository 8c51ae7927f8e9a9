"""Somebody who gets webhooks: checks nothing, keeps all, answers what a test decides."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.stores.web import Web, reply


@dataclass
class Receiver:
    """`answers` are the next statuses (then 204), `got` the headers and bodies that came."""

    web: Web
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.web.special["/hook"] = self._take

    @property
    def address(self) -> str:
        return f"{self.web.base}/hook"

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.got]

    def _take(self, web: Web, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.got.append(({key.lower(): value for key, value in request.headers.items()}, body))
        status = self.answers.pop(0) if self.answers else 204
        said = b"" if status == 204 else b"no <b>thanks</b>\x00\n today"
        reply(request, status, said, **self.headers)


def is_signed(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """As the Standard Webhooks specification says, written from that."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}"
    made = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{made}"
