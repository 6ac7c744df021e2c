"""What a provider of vaults does: keep what comes, hand it to the owner, and let nobody in without a grant."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, TypedDict, TypeVar

import msgspec

from wissel.client.vaults import NoSuchVault
from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.core.moments import dutch_day, parse_rfc3339, rfc3339
from wissel.infra.http.proof import KeyOf
from wissel.learner import ends
from wissel.learner.errors import Changed, Full, NoSuchCopy, Taken, Unfit
from wissel.learner.grants import Act, check, is_over, may_revoke, new_grant, owner_grant, token_id
from wissel.learner.ports import Vaults, VaultStore
from wissel.learner.words import (
    FILES_MAX,
    GRANTS_MAX,
    JWE,
    PORTAL_GRANTS_MAX,
    VAULTS_MAX,
    Asked,
    CopyLine,
    EndDate,
    FileLine,
    Given,
    Grant,
    Opened,
    Opening,
    Receipted,
    SealedCopy,
    SealedMessage,
    SealedProfile,
    SeenGrant,
    VaultCard,
    Waiting,
)
from wissel.messages.files import JWE_BYTES_MAX
from wissel.messages.jose import SigningKey
from wissel.messages.records import read_acknowledgement, receipt
from wissel.messages.verify import Refused, b64, ec_public, jws_header, sha256

TENDED_PER_STEP: Final = 50  # vaults
PROFILE: Final = "profile.json"
USED: Final = "used.json"  # there once something was delivered
_JWE: Final = re.compile(JWE.encode())

T = TypeVar("T")


class Provider:
    """Vaults of several learners behind one door. `key` signs receipts; `platform_key` knows the platform's keys.

    A vault to which nothing came within `unused` of its opening is closed.
    """

    def __init__(
        self,
        vaults: Vaults,
        *,
        clock: Clock,
        entropy: Entropy,
        key: SigningKey,
        platform_key: KeyOf,
        unused: timedelta,
    ) -> None:
        self._vaults, self._clock, self._entropy, self._unused = vaults, clock, entropy, unused
        self._key, self._platform_key = key, platform_key
        self._day: date | None = None
        self._to_tend: list[str] = []

    def open(self, opening: Opening) -> Opened:
        """Open a vault for the public key that a learner made. Asked again by her, as when no answer came: the same.

        Raises Unfit, Taken or Full.
        """
        _check_key(opening.key)
        known = self._vaults.named(opening.name)
        if known is not None:
            return self._again(known, opening)
        if len(list(self._vaults.all())) >= VAULTS_MAX:
            raise Full("This provider has no room for another vault.")
        card = VaultCard(vault=b64(self._entropy.draw(16)), name=opening.name, key=opening.key)
        grant = owner_grant(opening, self._clock.now())
        self._vaults.open(card, {_grant_name(grant.id): msgspec.json.encode(grant)})
        return Opened(vault=card.vault)

    def _again(self, known: VaultCard, opening: Opening) -> Opened:
        store = self._vaults.find(known.vault)
        grant = _read_grant(store, opening.grant) if store else None
        own = grant is not None and grant.kind == "owner" and grant.digest == opening.digest
        if not own or known.key != opening.key:
            raise Taken("There is a vault of this name already.", field="/name")
        return Opened(vault=known.vault)

    def admit(self, vault: str, token: str, act: Act) -> tuple[VaultStore, Grant]:
        """Return the drawers and the grant under which the bearer of `token` may do `act`. See `client.vaults`."""
        store = self._vaults.find(vault)
        if store is None:
            raise NoSuchVault("There is no vault with this id here.")
        head = token_id(token)
        return store, check(_read_grant(store, head), token, act, self._clock.now())

    def append(self, store: VaultStore, copies: tuple[SealedCopy, ...]) -> tuple[str, ...]:
        """Keep copies. The first one of an id stands: nothing that is in the drawer is ever overwritten."""
        now = self._clock.now()
        _used(store, now)
        for copy in copies:
            if ends.take(store, ends.COPY + copy.id, copy.until, now):
                store.append(copy.id, copy.jwe.encode())
            self._empty_inbox(store, copy.id)
        return tuple(copy.id for copy in copies)

    def receive(self, store: VaultStore, messages: tuple[SealedMessage, ...]) -> tuple[Receipted, ...]:
        """Keep messages until their copies come, and sign for each. Again the same: again the same receipt.

        Raises Unfit or Taken before anything is stored.
        """
        if len({message.id for message in messages}) != len(messages):
            raise Unfit("A message stands twice in one request.", field="/messages")
        checked = [self._check_message(store, message) for message in messages]
        _used(store, self._clock.now())
        for waiting, is_new in checked:
            if is_new:
                store.note(_waiting_name(waiting), msgspec.json.encode(waiting))
        return tuple(Receipted(id=waiting.id, receipt=waiting.receipt) for waiting, _ in checked)

    def take_file(self, store: VaultStore, jwe: bytes, until: str) -> tuple[str, ...]:
        """Keep a sealed file under the hash of its bytes, until the end of `until`; again is harmless.

        Raises Unfit or Full.
        """
        if len(jwe) > JWE_BYTES_MAX or not _JWE.fullmatch(jwe):
            raise Unfit(f"A file is a compact JWE of at most {JWE_BYTES_MAX} bytes.")
        try:
            day = date.fromisoformat(until)
        except ValueError:
            raise Unfit("Say until when this file may exist: ?until=YYYY-MM-DD.", field="until") from None
        digest = b64(sha256(jwe))
        if store.file(digest) is None and len(store.files()) >= FILES_MAX:
            raise Full("This vault keeps as many files as it can.")
        now = self._clock.now()
        _used(store, now)
        if ends.take(store, ends.FILE + digest, day, now):
            store.add_file(digest, jwe)
        return (digest,)

    def files(self, store: VaultStore) -> tuple[FileLine, ...]:
        """Return the files drawer's list, with until when each stays."""
        return tuple(FileLine(id=file, **_end(store, ends.FILE + file)) for file in store.files())

    def file(self, store: VaultStore, file: str) -> bytes:
        """Return one sealed file. Raises NoSuchCopy."""
        return _there(store.file(file))

    def set_file_end(self, store: VaultStore, file: str, end: EndDate) -> None:
        """Keep a file until the day the owner names. Raises NoSuchCopy or Unfit."""
        _there(store.file(file))
        ends.choose(store, ends.FILE + file, end.until)
        ends.sweep(store, self._clock.now())

    def destroy_file(self, store: VaultStore, file: str) -> None:
        """Destroy a file at the owner's word. Raises NoSuchCopy."""
        if not store.destroy_file(file):
            raise NoSuchCopy("This vault has no such file.")
        ends.destroyed(store, ends.FILE + file, self._clock.now())

    def give(self, store: VaultStore, maker: Grant, asked: Asked) -> Given:
        """Give a grant in the name of `maker`. Raises NotGranted, Unfit or Full."""
        names = store.notes(_grant_name(""))
        if len(names) >= GRANTS_MAX:
            raise Full("This vault has given out as many grants as it can keep.")
        if maker.kind != "owner" and sum(each.maker == maker.id for each in _grants(store)) >= PORTAL_GRANTS_MAX:
            raise Full("This portal has given as many grants as one may. Its owner can give more.")
        grant, given = new_grant(asked, maker, self._clock.now(), self._entropy)
        _keep_grant(store, grant)
        return given

    def revoke(self, store: VaultStore, actor: Grant, grant_id: str) -> None:
        """Withdraw a grant at once, and with a portal's those that it gave; again changes nothing.

        Raises NoSuchCopy or NotGranted.
        """
        target = _read_grant(store, grant_id)
        if target is None:
            raise NoSuchCopy("This vault has no such grant.")
        may_revoke(actor, target)
        now = rfc3339(self._clock.now())
        made = [grant for grant in _grants(store) if grant.maker == grant_id and target.kind == "portal"]
        for grant in [*made, target]:
            if not grant.revoked:
                _keep_grant(store, msgspec.structs.replace(grant, revoked=now))

    def grants(self, store: VaultStore) -> tuple[SeenGrant, ...]:
        """Return the grants on this vault, live or dead; dead ones go after a while."""
        return tuple(msgspec.convert(_without_digest(grant), SeenGrant) for grant in _grants(store))

    def profile(self, store: VaultStore) -> tuple[SealedProfile | None, str]:
        """Return the sealed profile, if there is one, and its tag."""
        data = store.noted(PROFILE)
        return _decode(data, SealedProfile), _tag(data)

    def write_profile(self, store: VaultStore, profile: SealedProfile, seen: str) -> str:
        """Replace the profile whose tag was `seen` (empty: none yet) and return the new tag. Raises Changed."""
        if _tag(store.noted(PROFILE)) != seen:
            raise Changed("The profile is not the one that this change starts from. Read it again.", field="If-Match")
        data = msgspec.json.encode(profile)
        store.note(PROFILE, data)
        return _tag(data)

    def copies(self, store: VaultStore) -> tuple[CopyLine, ...]:
        """Return the copies drawer's list, with until when each stays."""
        return tuple(CopyLine(id=copy, **_end(store, ends.COPY + copy)) for copy in store.copies())

    def copy(self, store: VaultStore, copy: str) -> bytes:
        """Return one sealed copy. Raises NoSuchCopy."""
        return _there(store.copy(copy))

    def set_end(self, store: VaultStore, copy: str, end: EndDate) -> None:
        """Keep a copy until the day the owner names, sooner or later than before; also one whose message waits for it.

        Raises NoSuchCopy or Unfit.
        """
        if store.copy(copy) is None and all(waiting.commitment != copy for waiting in self.inbox(store)):
            raise NoSuchCopy("This vault has no such copy.")
        ends.choose(store, ends.COPY + copy, end.until)
        ends.sweep(store, self._clock.now())

    def destroy(self, store: VaultStore, copy: str) -> None:
        """Destroy a copy at the owner's word. Raises NoSuchCopy."""
        if not store.destroy(copy):
            raise NoSuchCopy("This vault has no such copy.")
        ends.destroyed(store, ends.COPY + copy, self._clock.now())

    def inbox(self, store: VaultStore) -> tuple[Waiting, ...]:
        """Return the messages whose copies have not come yet, sealed as they came."""
        found = (_decode(store.noted(name), Waiting) for name in store.notes(ends.MESSAGE))
        return tuple(waiting for waiting in found if waiting and waiting.jwe)

    async def step(self, now: datetime) -> int:
        """Destroy what is past its end, and old dead grants; close vaults that nobody used. Returns how many went.

        It looks into each vault once a day, some at a time so that nobody who calls waits: days end at midnight.
        """
        if self._day != dutch_day(now):
            self._day, self._to_tend = dutch_day(now), list(self._vaults.all())
        batch, self._to_tend = self._to_tend[:TENDED_PER_STEP], self._to_tend[TENDED_PER_STEP:]
        return sum(self._tend(vault, now) for vault in batch)

    def _tend(self, vault: str, now: datetime) -> int:
        store = self._vaults.find(vault)
        if store is None:
            return 0
        if self._is_unused(store, now):
            self._vaults.close(vault)
            return 1
        return ends.sweep(store, now) + _sweep_grants(store, now)

    def _is_unused(self, store: VaultStore, now: datetime) -> bool:
        """Tell whether a vault was opened so long ago, and nothing ever came."""
        if store.noted(USED) is not None:
            return False
        opened = [parse_rfc3339(grant.made) for grant in _grants(store) if grant.kind == "owner"]
        return all(now >= moment + self._unused for moment in opened)  # none: a crash cut its closing short

    def _check_message(self, store: VaultStore, message: SealedMessage) -> tuple[Waiting, bool]:
        """Return the message as it is kept, and whether it is new. Raises Unfit or Taken."""
        acknowledged = b64(sha256(message.acknowledgement.encode()))
        for name in store.notes(f"message.{message.id}."):
            known = _decode(store.noted(name), Waiting)
            if known and known.acknowledged != acknowledged:
                raise Taken("A message of this id came before with another acknowledgement.", field="/messages")
            if known:
                return known, False
        commitment = self._commitment(message.acknowledgement)
        now = self._clock.now()
        signed = receipt(self._key, acknowledgement=message.acknowledgement, outcome="accepted", at=now)
        waiting = Waiting(
            id=message.id,
            commitment=commitment,
            acknowledged=acknowledged,
            receipt=signed,
            received=rfc3339(now),
            until=message.until.isoformat(),
            jwe=message.jwe,
        )
        return waiting, True

    def _commitment(self, acknowledgement: str) -> str:
        """Return the commitment that the platform acknowledged. Raises Unfit unless the platform signed it."""
        try:
            key = self._platform_key(str(jws_header(acknowledgement).get("kid")))
            if key is not None:
                return read_acknowledgement(acknowledgement, key).commitment
        except Refused as refused:
            raise Unfit(f"An acknowledgement is refused: {refused.sentence}", field="/messages") from None
        raise Unfit("An acknowledgement is refused: the platform did not sign it.", field="/messages")

    @staticmethod
    def _empty_inbox(store: VaultStore, copy: str) -> None:
        """Drop the sealed message whose copy has come; its receipt stays, for who asks again."""
        for name in store.notes("message."):
            if name.endswith(f".{copy}"):
                waiting = _decode(store.noted(name), Waiting)
                if waiting and waiting.jwe:
                    store.note(name, msgspec.json.encode(msgspec.structs.replace(waiting, jwe="")))


def _check_key(key: Mapping[str, str]) -> None:
    if "d" in key:
        raise Unfit("This is a private key. Keep it; send the public half.", field="/key")
    try:
        ec_public(key)
    except Refused as refused:
        raise Unfit(refused.sentence, field="/key") from None


def _waiting_name(waiting: Waiting) -> str:
    return f"message.{waiting.id}.{waiting.commitment}"


def _grant_name(grant_id: str) -> str:
    return f"grant.{grant_id}"


def _keep_grant(store: VaultStore, grant: Grant) -> None:
    store.note(_grant_name(grant.id), msgspec.json.encode(grant))


def _read_grant(store: VaultStore, grant_id: str) -> Grant | None:
    return _decode(store.noted(_grant_name(grant_id)), Grant)


def _grants(store: VaultStore) -> list[Grant]:
    found = (_decode(store.noted(name), Grant) for name in store.notes(_grant_name("")))
    return [grant for grant in found if grant is not None]


def _sweep_grants(store: VaultStore, now: datetime) -> int:
    return sum(store.drop(_grant_name(grant.id)) for grant in _grants(store) if is_over(grant, now))


def _used(store: VaultStore, now: datetime) -> None:
    if store.noted(USED) is None:
        store.note(USED, msgspec.json.encode(rfc3339(now)))


def _without_digest(grant: Grant) -> dict[str, object]:
    return {name: value for name, value in msgspec.structs.asdict(grant).items() if name != "digest"}


def _decode(data: bytes | None, kind: type[T]) -> T | None:
    return None if data is None else msgspec.json.decode(data, type=kind)


def _tag(data: bytes | None) -> str:
    return "" if data is None else f'"{b64(sha256(data))}"'


def _there(data: bytes | None) -> bytes:
    if data is None:
        raise NoSuchCopy("This vault has no such copy.")
    return data


class _End(TypedDict):
    until: str
    chosen: bool


def _end(store: VaultStore, name: str) -> _End:
    end = ends.of(store, name)
    return _End(until=end.until if end else "", chosen=end.chosen if end else False)
