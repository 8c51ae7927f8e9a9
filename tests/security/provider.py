"""A small OpenID provider on loopback: real discovery, keys, PKCE and RSA-signed tokens."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "studio-client", "a-secret-of-the-client"
# Made once: it takes a tenth of a second.
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "k1"}) for _ in range(2))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """What it answers; tests change it. `asked` is what the studio sent the person with."""

    def __init__(self) -> None:
        self.url = ""
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "k1"}
        self.key: Any = KEY
        self.metadata: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.without_token = False
        self.asked: dict[str, str] = {}
        self.tokens_given = 0

    def sent(self, location: str) -> None:
        """The person arrives: remember what the studio asks for."""
        assert location.startswith(f"{self.url}/authorize?"), location
        self.asked = {key: values[0] for key, values in parse_qs(urlsplit(location).query).items()}

    def discovery(self) -> dict[str, Any]:
        ends = ("authorization", "token", "userinfo")
        found = {f"{end}_endpoint": f"{self.url}/{end}" for end in ends}
        found["authorization_endpoint"] = f"{self.url}/authorize"
        found |= {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
        return found | {"id_token_signing_alg_values_supported": ["RS256"]} | self.metadata

    def answer_code(self, body: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Tokens for a code, if who asks can say where the code came from (PKCE)."""
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        challenge = _encoded(hashlib.sha256(body.get("code_verifier", "").encode()).digest())
        right = (
            authorization == f"Basic {expected}",
            body.get("code") == "the-code",
            challenge == self.asked.get("code_challenge"),
            self.asked.get("code_challenge_method") == "S256",
            body.get("redirect_uri") == self.asked.get("redirect_uri"),
        )
        if not all(right):
            return 400, {"error": "invalid_grant"}
        self.tokens_given += 1
        tokens = {"access_token": "an-access-token", "token_type": "Bearer", "expires_in": 300}
        return 200, tokens if self.without_token else tokens | {"id_token": self.id_token()}

    def id_token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": "subject-1", "iat": now, "exp": now + 60,
            "nonce": self.asked.get("nonce"), **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.header["alg"] in ("none", "HS256"):
            return self._forged(claims)
        return jwt.encode(self.header, claims, self.key, algorithms=[self.header["alg"]])

    def _forged(self, claims: dict[str, Any]) -> str:
        """Without a signature, or with one made with what everybody knows of the key."""
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (self.header, claims))
        public = KEY.as_pem(private=False)
        signature = hmac.new(public, signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{_encoded(signature) if self.header['alg'] == 'HS256' else ''}"


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that answers until the end of the block."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == "/.well-known/openid-configuration":
                self._send(200, provider.discovery())
            elif path == "/jwks":
                self._send(200, {"keys": [KEY.as_dict(private=False)]})
            elif path == "/userinfo" and provider.userinfo is not None:
                self._send(200, provider.userinfo)
            else:
                self._send(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            fields = {key: values[0] for key, values in parse_qs(body).items()}
            self._send(*provider.answer_code(fields, self.headers.get("Authorization", "")))

        def _send(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
