"""The application's own signature on its answers, which an adapter can put beside the hash of the raw answer.

`Answer-Signature` is a detached ES256 JWS (RFC 7515 appendix F) over the body as sent; its `kid` stands on the
application's card. The interface is our invention: no partner publishes one.
"""

from collections.abc import Callable
from typing import Final

from litestar.types import ASGIApp, Message, Receive, Scope, Send

HEADER: Final = "Answer-Signature"
Sign = Callable[[bytes], str]


def signed_by(sign: Sign) -> Callable[[ASGIApp], ASGIApp]:
    """Return the middleware that signs each whole answer with `sign` (bytes to compact detached JWS)."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def signing(scope: Scope, receive: Receive, send: Send) -> None:
            held: list[Message] = []

            async def hold(message: Message) -> None:
                held.append(message)
                if message["type"] == "http.response.body" and not message.get("more_body", False):
                    for ready in _with_signature(held, sign):
                        await send(ready)
                    held.clear()

            await app(scope, receive, hold)

        return signing

    return wrap


def _with_signature(held: list[Message], sign: Sign) -> list[Message]:
    body = b"".join(bytes(message["body"]) for message in held if message["type"] == "http.response.body")
    for message in held:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (HEADER.lower().encode(), sign(body).encode())]
    return held
