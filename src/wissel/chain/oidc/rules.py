"""Checks of an authorization request and of a code's use: pure."""

import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from wissel.chain.oidc.words import Asked, Client, Code, OAuthError, SentBack
from wissel.messages.verify import b64, sha256

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
TEXT_MAX: Final = 512


def read_request(params: Mapping[str, str], clients: Mapping[str, Client]) -> Asked:
    """Check an authorization request. Raises OAuthError when it cannot be sent back, else SentBack."""
    client = clients.get(params.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_client", "This client is not known here.")
    redirect = params.get("redirect_uri", "")
    if redirect not in client.redirects:
        raise OAuthError("invalid_request", "redirect_uri is not one that this client registered.")
    state = params.get("state", "")

    def back(error: str, sentence: str) -> SentBack:
        return SentBack(error, sentence, redirect=redirect, state=state[:TEXT_MAX])

    if any(len(value) > TEXT_MAX for name, value in params.items() if name != "acr_values"):
        raise back("invalid_request", f"A parameter is longer than {TEXT_MAX} characters.")
    if params.get("response_type") != "code":
        raise back("unsupported_response_type", "Only response_type=code is offered.")
    scope = tuple(params.get("scope", "").split())
    if "openid" not in scope:
        raise back("invalid_scope", "The scope must contain openid.")
    allowed = ("openid",) if client.kind == "sign" else client.scopes
    if set(scope) - set(allowed):
        raise back("invalid_scope", f"This client may ask: {' '.join(allowed)}.")
    if params.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(params.get("code_challenge", "")):
        raise back("invalid_request", "PKCE with S256 is required (RFC 7636).")
    if client.kind == "sign" and not params.get("nonce"):
        raise back("invalid_request", "A signing call needs a nonce: it is what is signed.")
    return Asked(
        client=client,
        redirect=redirect,
        scope=scope,
        state=state,
        nonce=params.get("nonce", ""),
        challenge=params["code_challenge"],
        acrs=tuple(params.get("acr_values", "").split()),
        hint=params.get("login_hint", ""),
        silent=params.get("prompt", "") == "none",
    )


def check_code(code: Code | None, client: Client, form: Mapping[str, str], now: datetime) -> Code:
    """Return the code when this client may use it now, at this address and with this verifier."""
    verifier = form.get("code_verifier", "")
    if code is None or code.asked.client.id != client.id or now >= code.until:
        raise OAuthError("invalid_grant", "This code is not known, not this client's, used before or too old.")
    if form.get("redirect_uri", "") != code.asked.redirect:
        raise OAuthError("invalid_grant", "redirect_uri is not the one that the code was sent to.")
    challenge = b64(sha256(verifier.encode()))
    if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(challenge, code.asked.challenge):
        raise OAuthError("invalid_grant", "code_verifier does not fit the challenge (RFC 7636).")
    return code
