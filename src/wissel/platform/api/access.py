"""Access rules: who may use a route. A route says `access=allowed("mailbox")`, or `access=public`."""

from typing import Any, Final

from litestar import Request

from wissel.infra.http.door import Connection, Rule
from wissel.infra.http.errors import Unauthenticated
from wissel.infra.http.rate import Buckets
from wissel.platform.api.errors import OutOfScope
from wissel.platform.api.tokens import Tokens
from wissel.platform.api.words import Caller, Scope

GATE: Final = "gate"  # the name in the application's state


class Gate:
    """Tells who calls, and how often it may."""

    def __init__(self, tokens: Tokens, calls: Buckets) -> None:
        self._tokens = tokens
        self._calls = calls

    def enter(self, authorization: str, scope: Scope) -> Caller:
        """Return the caller. Raises Unauthenticated, OutOfScope or TooMany."""
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Unauthenticated("This call needs a token: Authorization: Bearer …", field="Authorization")
        caller = self._tokens.check(token)
        self._calls.take(caller.urn)
        if scope not in caller.scopes:
            raise OutOfScope(f"This call needs a token with the scope {scope!r}.", field="Authorization")
        return caller


def allowed(scope: Scope) -> Rule:
    """Return the rule: a participant whose token has this scope."""

    async def rule(connection: Connection) -> None:
        gate: Gate = connection.app.state[GATE]
        caller = gate.enter(connection.headers.get("authorization", ""), scope)
        connection.scope["state"]["caller"] = caller.urn

    return rule


def caller_of(request: Request[Any, Any, Any]) -> str:
    """Return the URN of who calls, as its access rule found it."""
    return str(request.scope["state"]["caller"])
