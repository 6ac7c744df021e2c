"""The learner's own side: she makes the keys, opens the copies, decides who may come in and how long copies stay.

Her keys never leave `keys/`: `seal.json` opens the copies, `profile.json` the profile (she hands that one to a portal
with its grant), `vault.json` says where her vault is and holds her owner's token.
"""

import hmac
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import ClassVar, Final, NamedTuple, TypeVar

import msgspec

from wissel.core.entropy import Entropy
from wissel.core.errors import WisselError
from wissel.infra.files.ports import Folder
from wissel.infra.http.ports import Http, Request, Response
from wissel.learner.errors import VaultError
from wissel.learner.words import (
    Asked,
    CopyList,
    EndDate,
    FileLine,
    FileList,
    Given,
    Grants,
    Opened,
    Opening,
    SealedProfile,
    SeenGrant,
    Strict,
    Waiting,
)
from wissel.messages.catalogue import decode
from wissel.messages.files import named_in
from wissel.messages.jose import Sealer, SealingKey, hash64
from wissel.messages.verify import Refused, b64, open_jwe, parse, sha256, unb64

SEAL: Final = "seal.json"
PROFILE_KEY: Final = "profile.json"
VAULT: Final = "vault.json"
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024  # a sealed file

T = TypeVar("T")


class VaultRefused(VaultError):
    """The vault's provider refused a call of its owner. `http_status` is what it answered."""

    code: ClassVar[str] = "vault-refused"
    status: ClassVar[int] = 502

    def __init__(self, sentence: str, http_status: int) -> None:
        super().__init__(sentence)
        self.http_status = http_status


class Place(Strict, frozen=True, kw_only=True):
    """Where the vault is: the provider's address, the vault's id, and the owner's token."""

    base: str
    vault: str
    token: str

    @property
    def url(self) -> str:
        """The vault's own address, which her portal hands over with her first message."""
        return f"{self.base}/v/{self.vault}"


class Copy(NamedTuple):
    """A copy that was opened: the afschrift itself, and the last day on which its message may exist elsewhere."""

    id: str
    document: bytes
    enddate: date


class Keys(NamedTuple):
    """The two private keys of a learner."""

    seal: SealingKey
    profile: SealingKey


def make_keys(folder: Folder, entropy: Entropy) -> Keys:
    """Make the learner's keys and write them to `keys/`, once; later calls read what is there."""
    return Keys(*(_make_key(folder, name, entropy) for name in (SEAL, PROFILE_KEY)))


def open_copy(copy: str, jwe: bytes, key: SealingKey) -> Copy:
    """Open one sealed copy. Raises messages.verify.Refused when it was changed or is sealed to another."""
    document = open_jwe(jwe.decode("ascii", "replace"), key.private_jwk)
    return Copy(copy, document, date.fromisoformat(parse(document)["envelope"]["enddate"]))


def open_file(file: str, jwe: bytes, key: SealingKey) -> bytes:
    """Open one sealed file. Raises messages.verify.Refused when it is another, was changed or is sealed to another."""
    if b64(sha256(jwe)) != file:
        raise Refused("file", "This is another file than its name says.")
    return open_jwe(jwe.decode("ascii", "replace"), key.private_jwk)


def names_of(copy: Copy) -> set[str]:
    """Return the hashes by which files that an afschrift names lie in her drawer."""
    document = parse(copy.document)
    try:
        data = decode(document["envelope"]["type"], msgspec.json.encode(document.get("payload", {})))
    except WisselError:
        return set()  # it was not delivered, or is of a type that this release does not know
    return {each.ref.copy or each.ref.sealed for each in named_in(data)}


def open_all(vault: Path, key: SealingKey) -> list[Copy]:
    """Open every copy in a `vault/` folder with the owner's key. Raises messages.verify.Refused."""
    return [open_copy(file.stem, file.read_bytes(), key) for file in sorted(vault.glob("*.afschrift"))]


async def open_vault(http: Http, *, base: str, name: str, keys: Keys, folder: Folder) -> Place:
    """Open a vault at the provider at `base` and write `vault.json`, once; later calls read what is there.

    Raises Unreachable when no answer came: call again, and it is the same vault.
    """
    known = folder.read(VAULT)
    if known is not None:
        return msgspec.json.decode(known, type=Place)
    grant, secret = _owner_token(keys.seal, base, name)
    opening = Opening(name=name, key=keys.seal.public_jwk, grant=grant, digest=hash64(secret))
    headers = {"content-type": "application/json"}
    answer = await http.send(Request("POST", f"{base}/v", headers, msgspec.json.encode(opening)))
    place = Place(base=base, vault=_read(answer, Opened).vault, token=f"{grant}.{secret}")
    folder.replace(VAULT, msgspec.json.encode(place))
    return place


class Owner:
    """A learner at her own vault."""

    def __init__(self, http: Http, *, place: Place, keys: Keys, entropy: Entropy) -> None:
        self._http, self._keys, self._entropy = http, keys, entropy
        self.place = place

    async def give(self, asked: Asked) -> Given:
        """Give a grant and return its token, which is shown once."""
        return _read(await self._call("POST", "/grants", msgspec.json.encode(asked)), Given)

    async def revoke(self, grant: str) -> None:
        """Withdraw a grant, at once."""
        _check(await self._call("DELETE", f"/grants/{grant}"))

    async def grants(self) -> Sequence[SeenGrant]:
        """Return the grants on her vault, live or dead; a dead one goes after a month."""
        return _read(await self._call("GET", "/grants"), Grants).grants

    async def copies(self) -> list[Copy]:
        """Return all copies, opened."""
        listed = _read(await self._call("GET", "/copies"), CopyList).copies
        return [await self.copy(line.id) for line in listed]

    async def copy(self, copy: str) -> Copy:
        """Return one copy, opened."""
        answer = await self._call("GET", f"/copies/{copy}")
        _check(answer)
        return open_copy(copy, answer.body, self._keys.seal)

    async def inbox(self) -> list[tuple[Waiting, bytes]]:
        """Return the messages whose copies have not come yet, with what is sealed in them."""
        found = _read(await self._call("GET", "/messages"), _Inbox).messages
        return [(waiting, open_jwe(waiting.jwe, self._keys.seal.private_jwk)) for waiting in found]

    async def keep(self, copy: str, until: date) -> None:
        """Keep a copy until the end of `until`: later than the message's own end date, or sooner."""
        body = msgspec.json.encode(EndDate(until=until.isoformat()))
        _check(await self._call("PUT", f"/copies/{copy}/end", body))

    async def destroy(self, copy: str) -> None:
        """Destroy a copy now."""
        _check(await self._call("DELETE", f"/copies/{copy}"))

    async def files(self) -> list[FileLine]:
        """Return her list of files."""
        return list(_read(await self._call("GET", "/files"), FileList).files)

    async def file(self, file: str) -> bytes:
        """Return one file, opened. Raises messages.verify.Refused when it is not what its id says."""
        answer = await self._call("GET", f"/files/{file}")
        _check(answer)
        return open_file(file, answer.body, self._keys.seal)

    async def keep_file(self, file: str, until: date) -> None:
        """Keep a file until the end of `until`."""
        _check(await self._call("PUT", f"/files/{file}/end", msgspec.json.encode(EndDate(until=until.isoformat()))))

    async def destroy_file(self, file: str) -> None:
        """Destroy a file now."""
        _check(await self._call("DELETE", f"/files/{file}"))

    async def tend(self) -> int:
        """Look after the end of each copy and file of which she chose none, and return how many there were.

        The provider cannot read the end date of a message and goes by what the platform says. Her software can: nothing
        goes before that date. What she chose with `keep` stays.
        """
        listed = _read(await self._call("GET", "/copies"), CopyList).copies
        fresh = {line.id: line.until for line in listed if not line.chosen}
        for each, until in fresh.items():
            await self.keep(each, _later((await self.copy(each)).enddate, until))
        return len(fresh) + await self._tend_files()

    async def _tend_files(self) -> int:
        fresh = {line.id: line.until for line in await self.files() if not line.chosen}
        ends = {digest: copy.enddate for copy in await self.copies() for digest in names_of(copy)} if fresh else {}
        for file in sorted(fresh & ends.keys()):
            await self.keep_file(file, _later(ends[file], fresh[file]))
        return len(fresh & ends.keys())

    async def profile(self) -> tuple[bytes, str]:
        """Return her profile as JSON (empty: there is none yet), and the tag that a change must name."""
        answer = await self._call("GET", "/profile")
        _check(answer)
        if not answer.body:
            return b"", ""
        sealed = _read(answer, SealedProfile)
        return open_jwe(sealed.jwe, self._keys.profile.private_jwk), answer.headers.get("etag", "")

    async def write_profile(self, data: bytes, seen: str) -> str:
        """Replace the profile whose tag was `seen` and return the new tag."""
        sealer = Sealer.new(self._keys.profile.public_jwk, self._entropy)
        body = msgspec.json.encode(SealedProfile(jwe=sealer.seal(data, self._entropy)))
        answer = await self._call("PUT", "/profile", body, {"if-match": seen} if seen else {})
        _check(answer)
        return answer.headers.get("etag", "")

    async def _call(self, method: str, path: str, body: bytes = b"", more: dict[str, str] | None = None) -> Response:
        headers = {"authorization": f"Bearer {self.place.token}", "content-type": "application/json", **(more or {})}
        url = self.place.url + path
        return await self._http.send(Request(method, url, headers, body, answer_bytes_max=ANSWER_BYTES_MAX))


class _Inbox(msgspec.Struct, frozen=True):
    messages: tuple[Waiting, ...]


def _make_key(folder: Folder, name: str, entropy: Entropy) -> SealingKey:
    known = folder.read(name)
    if known is not None:
        return SealingKey.from_jwk(msgspec.json.decode(known, type=dict[str, str]))
    key = SealingKey.new(entropy)
    folder.add(name, msgspec.json.encode(key.private_jwk))
    return key


def _later(enddate: date, until: str) -> date:
    return max(enddate, date.fromisoformat(until)) if until else enddate


def _owner_token(key: SealingKey, base: str, name: str) -> tuple[str, str]:
    """Return id and secret of her token: they follow from her key, so that whoever has to ask again asks the same."""
    drawn = hmac.digest(unb64(key.private_jwk["d"]), f"owner of|{base}|{name}".encode(), "sha512")
    return b64(drawn[:16]), b64(drawn[16:48])


def _check(answer: Response) -> None:
    if answer.status >= 300:  # noqa: PLR2004 - RFC 9110 section 15: below 300 is success
        raise VaultRefused(f"The vault's provider answered {answer.status}.", answer.status)


def _read(answer: Response, kind: type[T]) -> T:
    _check(answer)
    return msgspec.json.decode(answer.body, type=kind)
