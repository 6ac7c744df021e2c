"""Values of the API: who calls, what a role may, and the limits."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from wissel.messages.participant import Role

VERSION: Final = "1.0.0"

Scope = Literal["messages", "mailbox", "processes", "entries", "inspect"]

_EVERYONE: Final[frozenset[Scope]] = frozenset({"messages", "mailbox", "entries"})
SCOPES: Final[Mapping[Role, frozenset[Scope]]] = {
    "platform": frozenset({"entries", "inspect"}),
    "portal": _EVERYONE | {"processes"},
    "institution": _EVERYONE,
    "provider": _EVERYONE,
    "duo": _EVERYONE,
    "ind": _EVERYONE,
    "nuffic": _EVERYONE,
    "psp": _EVERYONE,
    "eduid": _EVERYONE,
    "lcsk": _EVERYONE,
}


class Caller(NamedTuple):
    """Who calls: a participant, and what its token allows."""

    urn: str
    scopes: frozenset[str]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the door. Calls and tokens are counted per participant, token requests per network address as well."""

    body_bytes_max: int = 1024 * 1024
    calls_per_second: float = 50.0
    calls_burst: int = 200
    token_calls_per_second: float = 10.0
    token_calls_burst: int = 100
    tokens_per_second: float = 1.0
    tokens_burst: int = 60
    token_s: int = 300
    assertion_s_max: int = 300
    clock_skew_s_max: int = 60
