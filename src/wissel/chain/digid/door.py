"""DigiD's door: the provider's endpoints and no more."""

from litestar import Litestar

from wissel.chain.door.app import make_app
from wissel.chain.oidc.actions import Provider
from wissel.chain.oidc.door import HANDLERS, on_oauth_error
from wissel.chain.oidc.words import OAuthError


def digid_app(provider: Provider) -> Litestar:
    """Return DigiD's application."""
    return make_app(
        "DigiD (played)", "1.0.0", list(HANDLERS), given={"provider": provider}, more={OAuthError: on_oauth_error}
    )
