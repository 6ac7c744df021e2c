"""Outbound HTTP on the real network: one pool, limits on size and time, nothing followed, nothing remembered."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from io import BytesIO
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict
from yarl import URL

from wissel.infra.http.guard import Allow, Guard
from wissel.infra.http.ports import Request, Response, Unreachable

CONNECTIONS_MAX: Final = 100
CONNECTIONS_PER_HOST_MAX: Final = 20
_CHUNK: Final = 64 * 1024
_WHOLE_BYTES_MAX: Final = 512 * 1024

Lookup = Callable[[str, int], Awaitable[list[str]]]  # host name, port -> addresses


async def system_lookup(host: str, port: int) -> list[str]:
    """Ask the machine's resolver for the addresses of a host name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class AiohttpHttp:
    """The network, guarded. Make one per process, and close it; it may be used from one event loop only.

    No redirects, cookies, proxies from the environment or compressed answers. Errors say what went wrong and
    never where: an address can be personal data.
    """

    def __init__(self, allow: Allow = frozenset(), *, lookup: Lookup = system_lookup) -> None:
        self._guard = Guard(allow)
        self._lookup = lookup
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Response:
        """Return the whole answer. Raises Unreachable."""
        self._guard.check(request.url)
        try:
            async with self._open().request(
                request.method,
                URL(request.url),
                headers=_headers(request),
                data=_data(request.body),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=request.timeout_s),
            ) as answer:
                body = await _read(answer, request.answer_bytes_max)
        except TimeoutError:
            raise Unreachable(f"No whole answer came within {request.timeout_s:g} s.") from None
        except _Unlisted:
            raise Unreachable("That name leads to an address that is not a public one.") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(f"No answer came ({type(error).__name__}).") from None
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status, headers, body)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=CONNECTIONS_MAX,
                limit_per_host=CONNECTIONS_PER_HOST_MAX,
                resolver=_Resolver(self._guard, self._lookup),
                use_dns_cache=False,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                requote_redirect_url=False,
            )
        return self._session


class _Unlisted(Exception):
    """A name resolved to an address that the guard refuses."""


class _Resolver(AbstractResolver):
    """Resolves once and gives aiohttp only addresses that the guard permits: those it connects to."""

    def __init__(self, guard: Guard, lookup: Lookup) -> None:
        self._guard = guard
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of `host`. One that is refused spoils the lot: such a name is up to something."""
        addresses = [each for each in await self._lookup(host, port) if family in {0, _family(each)}]
        if not all(self._guard.permits(address, port) for address in addresses):
            raise _Unlisted
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=_family(address),
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in dict.fromkeys(addresses)
        ]

    async def close(self) -> None:
        """Nothing to close."""


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _headers(request: Request) -> CIMultiDict[str]:
    headers = CIMultiDict(request.headers)
    headers.setdefault("User-Agent", "wissel")
    headers["Accept-Encoding"] = "identity"
    return headers


def _data(body: bytes) -> bytes | BytesIO | None:
    """Give a large body in parts, so that writing it does not hold up the loop."""
    return BytesIO(body) if len(body) > _WHOLE_BYTES_MAX else body or None


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    parts, size = [], 0
    async for part in answer.content.iter_chunked(_CHUNK):
        size += len(part)
        if size > most:
            answer.close()
            raise Unreachable(f"The answer is larger than {most} bytes.")
        parts.append(part)
    return b"".join(parts)
