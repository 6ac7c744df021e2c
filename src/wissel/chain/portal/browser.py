"""Her browser, played: it makes her keys and keeps what is hers, in a folder of hers that no party reads.

`<learner>/keys` holds `seal.json` and `profile.json` (private JWKs, made there) and, with a vault, `vault.json`
(the vault and its owner's token); `<learner>/vault` the afschriften that she downloaded, `<learner>/files` the files,
sealed as they came;
`<learner>/profile` the messages that wait for their copy. The portal learns public keys and grants, no more.
"""

import hmac
from collections.abc import Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import msgspec

from wissel.chain.errors import PartnerFailed
from wissel.chain.participants import Folders
from wissel.chain.portal.downloads.words import Item, Taken
from wissel.chain.portal.words import Pointer
from wissel.chain.world import World
from wissel.infra.http.ports import Request, Response
from wissel.messages.jose import Sealer, SealingKey, hash64
from wissel.messages.participant import Jwk
from wissel.messages.verify import Refused, b64, open_jwe, sha256, unb64

_SEAL: Final = "seal.json"
_PROFILE: Final = "profile.json"
_VAULT: Final = "vault.json"
_TAKEN: Final = 409
_CHANGED: Final = 412
_NAME_MAX: Final = 24  # of the 40 characters of a vault's name, so that chance can be added


class Provider(NamedTuple):
    """The default provider of vaults, from the public list of participants."""

    urn: str
    base: str


class _Vault(msgspec.Struct, frozen=True, kw_only=True):
    """Her vault as her own software keeps it."""

    base: str
    vault: str
    token: str

    @property
    def url(self) -> str:
        return f"{self.base}/v/{self.vault}"


class _Opened(msgspec.Struct, frozen=True):
    vault: str


class _Given(msgspec.Struct, frozen=True):
    token: str


class Browser:
    """One learner's browser at a portal."""

    def __init__(self, world: World, folders: Folders, ref: str) -> None:
        self._world, self._ref = world, ref
        self._keys = folders(f"{ref}/keys")
        self._copies = folders(f"{ref}/vault")
        self._files = folders(f"{ref}/files")
        self._messages = folders(f"{ref}/profile")

    @property
    def key(self) -> Jwk:
        """The public half of the key to which her messages and copies are sealed."""
        return self._key(_SEAL).public_jwk

    async def vault(self, provider: Provider, profile: dict[str, Any], portal: str, until: date) -> Pointer:
        """Open a vault at the default provider, unless she has one; let the portal in. Raises PartnerFailed."""
        mine = await self._open(provider)
        key = self._key(_PROFILE)
        asked = {"kind": "portal", "purpose": "to read my profile and to enrol for me", "until": until.isoformat()}
        given = _read(await self._call("POST", f"{mine.url}/grants", mine.token, {**asked, "holder": portal}), _Given)
        sealed = Sealer.new(key.public_jwk, self._world.entropy).seal(msgspec.json.encode(profile), self._world.entropy)
        answer = await self._call("PUT", f"{mine.url}/profile", mine.token, {"jwe": sealed})
        if answer.status != _CHANGED:  # there is a profile already: what she filled in before stays
            _check(answer)
        return Pointer(
            vault=mine.url, grant=given.token, profilekey=key.private_jwk, key=self.key, provider=provider.urn
        )

    def take(self, items: Sequence[Item]) -> list[Taken]:
        """Keep what was downloaded; return what is safe here and reads as what it should be."""
        return [Taken(item, source) for item in items if (source := self._keep(item)) is not None]

    def _keep(self, item: Item) -> str | None:
        """Keep one item and return who sent it (of a copy or file: nothing); None for what is not sealed to her."""
        try:
            plain = open_jwe(item.jwe, self._key(_SEAL).private_jwk)
        except Refused:
            return None
        if item.kind == "file":
            if b64(sha256(item.jwe.encode())) != item.id:
                return None
            self._files.add(f"{item.id}.jwe", item.jwe.encode())
            return ""
        if item.kind == "copy":
            self._copies.add(f"{item.id}.afschrift", item.jwe.encode())
            for name in self._messages.names("message."):
                if name.endswith(f".{item.commitment}"):
                    self._messages.remove(name)
            return ""
        self._messages.add(f"message.{item.id}.{item.commitment}", item.jwe.encode())
        return str(msgspec.json.decode(plain)["envelope"]["source"])

    async def _open(self, provider: Provider) -> _Vault:
        known = self._keys.read(_VAULT)
        if known is not None:
            return msgspec.json.decode(known, type=_Vault)
        token = self._token(provider)
        answer = await self._ask(provider, self._ref, token)
        if answer.status == _TAKEN:
            answer = await self._ask(provider, f"{self._ref[:_NAME_MAX]}-{self._world.entropy.draw(6).hex()}", token)
        mine = _Vault(base=provider.base, vault=_read(answer, _Opened).vault, token=token)
        self._keys.replace(_VAULT, msgspec.json.encode(mine))
        return mine

    async def _ask(self, provider: Provider, name: str, token: str) -> Response:
        grant, _, secret = token.partition(".")
        asked = {"name": name, "key": self.key, "grant": grant, "digest": hash64(secret)}
        return await self._call("POST", f"{provider.base}/v", "", asked)

    def _token(self, provider: Provider) -> str:
        """Return her owner's token: it follows from her key, so that an opening that was not heard can be repeated."""
        secret = unb64(self._key(_SEAL).private_jwk["d"])
        drawn = hmac.digest(secret, f"owner of a vault at {provider.base}".encode(), "sha512")
        return f"{b64(drawn[:16])}.{b64(drawn[16:48])}"

    async def _call(self, method: str, url: str, token: str, body: object) -> Response:
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
        return await self._world.http.send(Request(method, url, headers, msgspec.json.encode(body)))

    def _key(self, name: str) -> SealingKey:
        """Return a key of hers, made and kept when it is not there."""
        known = self._keys.read(name)
        if known is None:
            self._keys.add(name, msgspec.json.encode(SealingKey.new(self._world.entropy).private_jwk))
            known = self._keys.read(name) or b""
        return SealingKey.from_jwk(msgspec.json.decode(known, type=dict[str, str]))


def _check(answer: Response) -> None:
    if answer.status >= 300:  # noqa: PLR2004 (RFC 9110 section 15: below 300 is success)
        raise PartnerFailed(f"The provider of vaults answered {answer.status}.")


def _read(answer: Response, kind: type[Any]) -> Any:
    _check(answer)
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.MsgspecError as error:
        raise PartnerFailed("The provider of vaults answered something else.") from error
