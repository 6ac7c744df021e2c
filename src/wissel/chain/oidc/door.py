"""The provider's endpoints. Forms and redirects are those of OpenID Connect; errors those of RFC 6749."""

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.response import Redirect

from wissel.chain.oidc.actions import Provider
from wissel.chain.oidc.words import Claims, OAuthError, SentBack, Tokens

_Asked = Request[Any, Any, Any]
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@get("/.well-known/openid-configuration", tags=["oidc"])
async def discover(provider: NamedDependency[Provider]) -> Claims:
    """Say what this provider offers (OpenID Connect Discovery 1.0 section 3)."""
    issuer, identities = provider.issuer, provider.identities
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oidc/authorize",
        "token_endpoint": f"{issuer}/oidc/token",
        "userinfo_endpoint": f"{issuer}/oidc/userinfo",
        "introspection_endpoint": f"{issuer}/oidc/introspect",
        "jwks_uri": f"{issuer}/oidc/certs",
        "scopes_supported": ["openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [provider.key.alg],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": list(identities.acrs),
        "claims_supported": [
            "sub",
            "iss",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "acr",
            *identities.claims_supported,
        ],
        "claims_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }


@get("/oidc/certs", tags=["oidc"])
async def certs(provider: NamedDependency[Provider]) -> Claims:
    """Show the public keys (RFC 7517)."""
    return {"keys": [provider.key.jwk]}


@get("/oidc/authorize", tags=["oidc"])
async def authorize(request: _Asked, provider: NamedDependency[Provider]) -> Response[str] | Redirect:
    """Log the played person in and send the browser back with a code."""
    return await _authorize(dict(request.query_params.items()), provider)


@post("/oidc/authorize", status_code=200, tags=["oidc"])
async def authorize_by_form(request: _Asked, provider: NamedDependency[Provider]) -> Response[str] | Redirect:
    """Do the same for a form (OpenID Connect Core section 3.1.2.1)."""
    return await _authorize(await _form(request), provider)


@post("/oidc/token", status_code=200, tags=["oidc"])
async def token(request: _Asked, provider: NamedDependency[Provider]) -> Response[Tokens]:
    """Give tokens for a code."""
    tokens = await provider.token(await _form(request), request.headers.get("authorization", ""))
    return Response(tokens, headers=_NO_STORE)


@get("/oidc/userinfo", tags=["oidc"])
async def userinfo(request: _Asked, provider: NamedDependency[Provider]) -> Response[Claims]:
    """Tell who holds an access token."""
    claims = await provider.userinfo(request.headers.get("authorization", ""))
    return Response(claims, headers=_NO_STORE)


@post("/oidc/introspect", status_code=200, tags=["oidc"])
async def introspect(request: _Asked, provider: NamedDependency[Provider]) -> Response[Claims]:
    """Say whether an access token lives (RFC 7662)."""
    claims = provider.introspect(await _form(request), request.headers.get("authorization", ""))
    return Response(claims, headers=_NO_STORE)


def on_oauth_error(_: _Asked, error: OAuthError) -> Response[dict[str, str]]:
    """Answer in the form of RFC 6749 section 5.2."""
    status = 401 if error.unauthorized else 400
    headers = {**_NO_STORE, **({"WWW-Authenticate": 'Basic realm="oidc"'} if error.unauthorized else {})}
    return Response({"error": error.error, "error_description": error.sentence}, status_code=status, headers=headers)


async def _authorize(params: Mapping[str, str], provider: Provider) -> Response[str] | Redirect:
    try:
        address = await provider.authorize(params)
    except SentBack as error:
        address = provider.send_back(error)
    if address is None:
        return Response(_page(params, provider), media_type=MediaType.HTML)
    return Redirect(address, status_code=302, headers=_NO_STORE)


def _page(params: Mapping[str, str], provider: Provider) -> str:
    """Return the played log-in page: a list of people to be."""
    rows = "".join(
        f'<li><a href="?{escape(urlencode({**params, "login_hint": person.ref}))}">{escape(person.name)}</a></li>'
        for person in provider.choices()
    )
    title = "Played log-in: who are you?"
    return f'<!doctype html><html lang="en"><title>{title}</title><h1>{title}</h1><ul>{rows}</ul></html>'


async def _form(request: _Asked) -> dict[str, str]:
    form = await request.form()
    return {str(name): str(value) for name, value in form.items()}


HANDLERS = (discover, certs, authorize, authorize_by_form, token, userinfo, introspect)
