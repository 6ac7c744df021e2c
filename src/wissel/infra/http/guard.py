"""Where we may connect to: public addresses over https, and nothing else unless its address and port are listed.

The list is a setting, empty by default. It serves a demo, tests, and a partner inside one's own network; there is
no other way round the guard. A host name is judged by the addresses it resolves to, and the connection goes to the
very address that was judged, so that a name cannot change its meaning in between (DNS rebinding).
"""

import re
from collections.abc import Set as AbstractSet
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, NamedTuple

from yarl import URL

from wissel.infra.http.ports import Http, Request, Response, Unreachable

Allow = AbstractSet[tuple[str, int]]
URL_CHARS_MAX: Final = 2000

# Networks that carry an IPv4 address inside, or lead somewhere else than they seem to (RFC 6890 and successors).
_NEVER: Final = tuple(
    ip_network(each)
    for each in (
        "::/96",  # IPv4-compatible, and ::, ::1
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local use
        "100::/64",  # discard
        "2001::/23",  # Teredo and other protocol assignments
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "5f00::/16",  # SRv6 segments
        "fec0::/10",  # site-local
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
    )
)


# What ends in a number is no name: resolvers read 127.1, 0x7f.1 and 2130706433 as addresses (WHATWG URL, host parsing).
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*", re.ASCII)


class Target(NamedTuple):
    """Where a URL leads. `literal`: the host is an address, not a name."""

    scheme: str
    host: str
    port: int
    literal: bool


class Guard:
    """Judges URLs and addresses. `allow` holds (address, port) pairs, addresses in canonical form."""

    def __init__(self, allow: Allow = frozenset()) -> None:
        self._allow = frozenset((str(ip_address(address)), port) for address, port in allow)

    def permits(self, address: str, port: int) -> bool:
        """Return whether a connection to this address and port may be made."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return (str(found), port) in self._allow or _public(found)

    def check(self, url: str) -> Target:
        """Return where `url` leads. Raises Unreachable when it may not be called; the sentence holds no part of it.

        A host name passes here; its addresses are judged when they are known.
        """
        target = _read(url)
        if target.scheme == "http" and (target.host, target.port) not in self._allow:
            raise Unreachable("Only https addresses are called (http only where settings list address and port).")
        if target.literal and not self.permits(target.host, target.port):
            raise Unreachable("That address is not a public one; settings can list address and port.")
        return target


class Guarded:
    """An Http that refuses what the guard refuses, before anything is sent."""

    def __init__(self, http: Http, allow: Allow = frozenset()) -> None:
        self._http = http
        self._guard = Guard(allow)

    async def send(self, request: Request) -> Response:
        """Return the answer. Raises Unreachable."""
        self._guard.check(request.url)
        return await self._http.send(request)


def _read(url: str) -> Target:
    if len(url) > URL_CHARS_MAX or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Unreachable("That is not an address that can be called.")
    try:
        parsed = URL(url)
        host, port = parsed.host, parsed.port
    except ValueError:
        raise Unreachable("That is not an address that can be called.") from None
    if parsed.scheme not in {"http", "https"} or not host or not port:
        raise Unreachable("That is not an address that can be called.")
    if parsed.user is not None or parsed.password is not None:
        raise Unreachable("An address with a user name or password in it is never called.")
    try:
        literal = str(ip_address(host))
    except ValueError:
        if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
            raise Unreachable("That is not an address that can be called.") from None
        return Target(parsed.scheme, host, port, literal=False)
    return Target(parsed.scheme, literal, port, literal=True)


def _public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address.scope_id:
        return False
    if any(address in network for network in _NEVER):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
