"""What a provider of vaults does: keep what comes, hand it to the owner, and let nobody in without a grant."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

import msgspec

from wissel.client.vaults import NoSuchVault
from wissel.core.clock import Clock
from wissel.core.entropy import Entropy
from wissel.core.moments import end_of, from_ms, parse_rfc3339, rfc3339, to_ms
from wissel.infra.http.proof import KeyOf
from wissel.learner.errors import Changed, Full, NoSuchCopy, Taken, Unfit
from wissel.learner.grants import Act, check, may_revoke, new_grant, owner_grant, token_id
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

RECEIPTS_KEPT: Final = timedelta(days=400)  # longer than any message waits for its receiver
SWEEP_EVERY: Final = timedelta(minutes=1)
PROFILE: Final = "profile.json"
END: Final = "end."  # of a copy
FILE_END: Final = "fileend."
_JWE: Final = re.compile(JWE.encode())

T = TypeVar("T")


class Provider:
    """Vaults of several learners behind one door. `key` signs receipts; `platform_key` knows the platform's keys."""

    def __init__(self, vaults: Vaults, *, clock: Clock, entropy: Entropy, key: SigningKey, platform_key: KeyOf) -> None:
        self._vaults, self._clock, self._entropy = vaults, clock, entropy
        self._key, self._platform_key = key, platform_key
        self._swept: datetime | None = None

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
        for copy in copies:
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
        for waiting, is_new in checked:
            if is_new:
                store.note(_waiting_name(waiting), msgspec.json.encode(waiting))
        return tuple(Receipted(id=waiting.id, receipt=waiting.receipt) for waiting, _ in checked)

    def take_file(self, store: VaultStore, jwe: bytes) -> tuple[str, ...]:
        """Keep a sealed file under the hash of its bytes; again is harmless. Raises Unfit or Full."""
        if len(jwe) > JWE_BYTES_MAX or not _JWE.fullmatch(jwe):
            raise Unfit(f"A file is a compact JWE of at most {JWE_BYTES_MAX} bytes.")
        digest = b64(sha256(jwe))
        if store.file(digest) is None and len(store.files()) >= FILES_MAX:
            raise Full("This vault keeps as many files as it can.")
        store.add_file(digest, jwe)
        return (digest,)

    def files(self, store: VaultStore) -> tuple[FileLine, ...]:
        """Return the files drawer's list, with the end dates that the owner chose."""
        return tuple(FileLine(id=file, until=_until(store, file, FILE_END)) for file in store.files())

    def file(self, store: VaultStore, file: str) -> bytes:
        """Return one sealed file. Raises NoSuchCopy."""
        return _there(store.file(file))

    def set_file_end(self, store: VaultStore, file: str, end: EndDate) -> None:
        """Keep a file until the day the owner names. Raises NoSuchCopy or Unfit."""
        _there(store.file(file))
        _note_end(store, f"{FILE_END}{file}", end)

    def destroy_file(self, store: VaultStore, file: str) -> None:
        """Destroy a file at the owner's word. Raises NoSuchCopy."""
        if not store.destroy_file(file):
            raise NoSuchCopy("This vault has no such file.")
        store.drop(f"{FILE_END}{file}")

    def give(self, store: VaultStore, maker: Grant, asked: Asked) -> Given:
        """Give a grant in the name of `maker`. Raises NotGranted, Unfit or Full."""
        names = store.notes(_grant_name(""))
        if len(names) >= GRANTS_MAX:
            raise Full("This vault has given out as many grants as it can keep.")
        if maker.kind != "owner" and _made_by(store, names, maker) >= PORTAL_GRANTS_MAX:
            raise Full("This portal has given as many grants as one may. Its owner can give more.")
        grant, given = new_grant(asked, maker, self._clock.now(), self._entropy)
        _keep_grant(store, grant)
        return given

    def revoke(self, store: VaultStore, actor: Grant, grant_id: str) -> None:
        """Withdraw a grant at once; withdrawing it again changes nothing. Raises NoSuchCopy or NotGranted."""
        target = _read_grant(store, grant_id)
        if target is None:
            raise NoSuchCopy("This vault has no such grant.")
        may_revoke(actor, target)
        if not target.revoked:
            _keep_grant(store, msgspec.structs.replace(target, revoked=rfc3339(self._clock.now())))

    def grants(self, store: VaultStore) -> tuple[SeenGrant, ...]:
        """Return every grant that was ever given on this vault."""
        names = store.notes(_grant_name(""))
        found = [_decode(store.noted(name), Grant) for name in names]
        return tuple(msgspec.convert(_without_digest(grant), SeenGrant) for grant in found if grant)

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
        """Return the copies drawer's list, with the end dates that the owner chose."""
        return tuple(CopyLine(id=copy, until=_until(store, copy, END)) for copy in store.copies())

    def copy(self, store: VaultStore, copy: str) -> bytes:
        """Return one sealed copy. Raises NoSuchCopy."""
        return _there(store.copy(copy))

    def set_end(self, store: VaultStore, copy: str, end: EndDate) -> None:
        """Keep a copy until the day the owner names, sooner or later than before. Raises NoSuchCopy or Unfit."""
        _there(store.copy(copy))
        _note_end(store, f"{END}{copy}", end)

    def destroy(self, store: VaultStore, copy: str) -> None:
        """Destroy a copy at the owner's word. Raises NoSuchCopy."""
        if not store.destroy(copy):
            raise NoSuchCopy("This vault has no such copy.")
        store.drop(f"{END}{copy}")

    def inbox(self, store: VaultStore) -> tuple[Waiting, ...]:
        """Return the messages whose copies have not come yet, sealed as they came."""
        found = (_decode(store.noted(name), Waiting) for name in store.notes("message."))
        return tuple(waiting for waiting in found if waiting and waiting.jwe)

    async def step(self, now: datetime) -> int:
        """Destroy copies past the end date that their owner chose, and old receipts. Returns how many items went.

        It looks once a minute at most: days end at midnight.
        """
        if self._swept is not None and self._swept <= now < self._swept + SWEEP_EVERY:
            return 0
        self._swept = now
        return sum(_sweep(store, now) for store in map(self._vaults.find, self._vaults.all()) if store)

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


def _made_by(store: VaultStore, names: Sequence[str], maker: Grant) -> int:
    found = (_decode(store.noted(name), Grant) for name in names)
    return sum(grant is not None and grant.maker == maker.id for grant in found)


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


def _note_end(store: VaultStore, name: str, end: EndDate) -> None:
    try:
        date.fromisoformat(end.until)
    except ValueError:
        raise Unfit("This is not a day: YYYY-MM-DD.", field="/until") from None
    store.note(name, msgspec.json.encode(end))


def _until(store: VaultStore, item: str, prefix: str) -> str:
    end = _decode(store.noted(prefix + item), EndDate)
    return end.until if end else ""


def _sweep(store: VaultStore, now: datetime) -> int:
    gone = 0
    for prefix, destroy in ((END, store.destroy), (FILE_END, store.destroy_file)):
        for name in store.notes(prefix):
            end = _decode(store.noted(name), EndDate)
            if end and end_of(date.fromisoformat(end.until)) <= now:
                destroy(name.removeprefix(prefix))
                gone += store.drop(name)
    oldest = from_ms(to_ms(now)) - RECEIPTS_KEPT
    for name in store.notes("message."):
        waiting = _decode(store.noted(name), Waiting)
        if waiting and parse_rfc3339(waiting.received) < oldest:
            gone += store.drop(name)
    return gone
