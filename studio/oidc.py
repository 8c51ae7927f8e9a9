"""Signing in by OpenID Connect: the authorization code flow, with Authlib.

PKCE (S256), state and nonce are Authlib's, kept in the session. What it leaves to us is here: who
may have issued a token, for whom, and by which algorithms it may be signed.
"""

import logging
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

log = logging.getLogger(__name__)

# Signatures that only the provider can make: no "none", and no HMAC with a public key.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
TIMEOUT_S = 10
_LEEWAY_S = 60


class SignInFailed(Exception):
    """The provider's answer says for nobody who they are."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a checked token says; `email` only where the provider has verified it."""

    issuer: str
    subject: str
    email: str = ""
    name: str = ""
    username: str = ""


def is_on() -> bool:
    """True if a provider is configured."""
    return bool(settings.STUDIO_OIDC_ISSUER)


def admits_strangers() -> bool:
    """True if whoever the provider knows gets an account, without an invitation."""
    return bool(settings.STUDIO_OIDC_SIGN_UP)


def start(request: HttpRequest) -> HttpResponse:
    """To the provider. Raises SignInFailed when it cannot be asked how."""
    try:
        back = f"{settings.STUDIO_URL}{reverse('oidc_callback')}"
        answer: HttpResponse = _checked_client().authorize_redirect(request, back)
        return answer
    except Exception as error:
        raise _failed(error) from error


def finish(request: HttpRequest) -> Claims:
    """Who comes back from the provider. Raises SignInFailed.

    Whatever a provider answers makes signing in fail, and nothing else.
    """
    try:
        client = _checked_client()
        _require_issuer(request, client.server_metadata)
        token = client.authorize_access_token(request, claims_options=_expected(), leeway=_LEEWAY_S)
        told = dict(token["userinfo"])  # of the ID token; missing if there is none
        more = _more(client, token, told["sub"]) if "email" not in told else {}
        return _claims(more | told, address=told if "email" in told else more)
    except Exception as error:
        raise _failed(error) from error


def _require_issuer(request: HttpRequest, metadata: dict[str, Any]) -> None:
    """The answer is this provider's: it says so itself, where it says that it does (RFC 9207)."""
    told = request.GET.getlist("iss")
    expects = metadata.get("authorization_response_iss_parameter_supported") is True
    if (told or expects) and told != [settings.STUDIO_OIDC_ISSUER]:
        raise ValueError("iss")


def _more(client: Any, token: Any, subject: str) -> dict[str, Any]:
    """What the provider's userinfo adds; nothing if it has none, or speaks of somebody else.

    A known subject needs none of it.
    """
    if not client.server_metadata.get("userinfo_endpoint"):
        return {}
    try:
        told = dict(client.userinfo(token=token))
    except Exception as error:
        log.warning("%s gave no userinfo: %s", settings.STUDIO_OIDC_ISSUER, _reason(error))
        return {}
    return told if told.get("sub") == subject else {}


def _failed(error: Exception) -> SignInFailed:
    """Why is for the log; of what was sent, which holds secrets, only the kind of error."""
    log.warning("signing in by %s failed: %s", settings.STUDIO_OIDC_ISSUER, _reason(error))
    return SignInFailed(type(error).__name__)


def _reason(error: Exception) -> str:
    text = getattr(error, "error", "") or ""
    return f"{type(error).__name__} {text}".strip()[:200]


def _expected() -> dict[str, Any]:
    """Claims that have to be there, with these values."""
    return {
        "iss": {"essential": True, "value": settings.STUDIO_OIDC_ISSUER},
        "aud": {"essential": True, "value": settings.STUDIO_OIDC_CLIENT_ID},
        "sub": {"essential": True},
        "exp": {"essential": True},
    }


def _claims(told: dict[str, Any], address: dict[str, Any]) -> Claims:
    """Who that is. `address` is the one document that says which e-mail address, and whether the
    provider has verified it: what another document says is about another address."""
    subject = told["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or "\0" in subject:
        raise ValueError("sub")
    verified = address.get("email_verified") is True
    return Claims(
        issuer=settings.STUDIO_OIDC_ISSUER,
        subject=subject,
        email=_text(address, "email") if verified else "",
        name=_text(told, "name"),
        username=_text(told, "preferred_username") or _text(address, "email").split("@")[0],
    )


def _text(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    return value.replace("\0", "").strip()[:150] if isinstance(value, str) else ""


def _checked_client() -> Any:
    """The client, with the provider's metadata loaded and held against what is configured."""
    issuer = settings.STUDIO_OIDC_ISSUER
    client = _client(issuer, settings.STUDIO_OIDC_CLIENT_ID, settings.STUDIO_OIDC_CLIENT_SECRET)
    metadata = client.load_server_metadata()
    if metadata.get("issuer") != issuer:
        _client.cache_clear()
        raise ValueError("issuer")
    offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    # Authlib accepts what this list names.
    metadata["id_token_signing_alg_values_supported"] = [a for a in offered if a in ALGORITHMS]
    return client


@cache
def _client(issuer: str, client_id: str, secret: str) -> Any:
    # A tenth of a second of imports, for those alone who use it.
    from authlib.integrations.django_client import OAuth

    return OAuth().register(
        "studio",
        client_id=client_id,
        client_secret=secret,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_S,
        },
    )
