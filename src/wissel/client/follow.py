"""Follows who may speak: the public list of participants and the list of revoked keys, read every so often.

What was known at set-up is where it begins; what was followed since is kept in a folder of the follower's own. When
the platform cannot be reached, or what it answers does not hold, the last good list stays.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar
from urllib.parse import quote

import msgspec

from wissel.client.cards import Taken, check_card
from wissel.client.errors import AnswerInvalid, Refusal
from wissel.client.words import CARDS_MAX, ListedCard, Participants, ProvenCard
from wissel.core.errors import WisselError
from wissel.core.moments import parse_rfc3339, rfc3339
from wissel.infra.files.ports import Folder
from wissel.infra.http.ports import Http, Request, Response
from wissel.infra.http.problem import read_problem
from wissel.infra.telemetry.log import Log
from wissel.messages.participant import Card, Jwk, hash_card
from wissel.messages.verify import Refused, Trust, read_revocations

KEPT: Final = "cards.json"
PAGES_MAX: Final = 400
FRESH: Final = timedelta(days=1)  # a list of revoked keys that is older hides something

T = TypeVar("T")
Watcher = Callable[[Sequence[Card], Mapping[str, datetime]], None]


class _Kept(msgspec.Struct, frozen=True):
    """What a follower knows: cards by URN, and revoked keys with the moment from which that counts."""

    cards: dict[str, Taken]
    revoked: dict[str, str]


class Followed:
    """Who may speak, as one party knows it now. `platform` holds the platform's signing keys by kid, always current."""

    def __init__(self, cards: Iterable[Card], folder: Folder) -> None:
        """Begin with the cards of set-up, or with what was followed before (`cards.json` in `folder`)."""
        self._folder = folder
        kept = folder.read(KEPT)
        self._kept = msgspec.json.decode(kept, type=_Kept) if kept else _Kept({}, {})
        begun = {card.urn: Taken(hash_card(card), "", card) for card in cards}
        self._kept = msgspec.structs.replace(self._kept, cards={**begun, **self._kept.cards})
        self._watchers: list[Watcher] = []
        self.platform: dict[str, Jwk] = {}
        self.watch(self._learn_platform)

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` all cards and revoked keys, now and after every change."""
        self._watchers.append(watcher)
        watcher(self.cards(), self.revoked())

    def cards(self) -> list[Card]:
        """Return all cards."""
        return [taken.card for taken in self._kept.cards.values()]

    def held(self, urn: str) -> Taken | None:
        """Return the card of a participant with what is known of it, or None."""
        return self._kept.cards.get(urn)

    def revoked(self) -> dict[str, datetime]:
        """Return the revoked keys, and from which moment that counts."""
        return {kid: parse_rfc3339(at) for kid, at in self._kept.revoked.items()}

    def take(self, fresh: Sequence[Taken], revoked: Mapping[str, str]) -> None:
        """Take checked cards and revocations in, durably; what was revoked stays revoked from the earliest moment."""
        cards = {**self._kept.cards, **{taken.card.urn: taken for taken in fresh}}
        known = self._kept.revoked
        kept = _Kept(cards, {**known, **{kid: min(at, known.get(kid, at)) for kid, at in revoked.items()}})
        if kept == self._kept:
            return
        self._folder.replace(KEPT, msgspec.json.encode(kept))
        self._kept = kept
        for watcher in self._watchers:
            watcher(self.cards(), self.revoked())

    def _learn_platform(self, cards: Sequence[Card], revoked: Mapping[str, datetime]) -> None:
        self.platform.clear()
        signers = (key for card in cards if "platform" in card.roles for key in card.keys if key.use == "sign")
        self.platform.update({key.kid: key.jwk for key in signers if key.kid not in revoked})


class Follower:
    """Reads the platform's lists every `every_s` and takes in what its log proves.

    `own` names the keys that this party itself holds, by its URN: when the list begins to show another live key as its
    own, a log line `participants.stranger` says so, for somebody had it published.
    """

    def __init__(
        self,
        followed: Followed,
        *,
        http: Http,
        log: Log,
        base: str,
        trust: Trust,
        every_s: float,
        own: Mapping[str, frozenset[str]],
    ) -> None:
        self._followed, self._http, self._log = followed, http, log
        self._base, self._trust, self._own = base.rstrip("/"), trust, own
        self._every = timedelta(seconds=every_s)
        self._due: datetime | None = None
        self._tags: dict[str, tuple[str, Participants]] = {}

    async def step(self, now: datetime) -> int:
        """Look when it is time; return how many cards were new. What fails is logged and tried at the next time."""
        if self._due is not None and now < self._due <= now + self._every:
            return 0
        self._due = now + self._every
        try:
            revoked = self._revocations(await self._get("/log/revocations"), now)
            self._followed.take([], revoked)
            return await self._look(now)
        except (Refused, WisselError) as error:
            self._log.write("participants.kept", code=error.code)
        return 0

    async def _look(self, now: datetime) -> int:
        fresh, why = list[Taken](), ""
        for listed in await self._list():
            held = self._followed.held(listed.card.urn)
            self._look_at_own(listed.card, held, now)
            try:
                if held is None or held.hash != hash_card(listed.card):
                    fresh.append(check_card(await self._one(listed.card.urn), self._trust, held))
            except (Refused, Refusal) as error:  # one bad card keeps nobody from the others
                why = error.code
        self._followed.take(fresh, {})
        if fresh or why:
            self._log.write("participants.followed", cards=len(fresh), refused=why)
        return len(fresh)

    async def _list(self) -> list[ListedCard]:
        """Return the whole list, page after page; a page that did not change is not sent again."""
        found, after = list[ListedCard](), ""
        for _ in range(PAGES_MAX):
            page = await self._page(f"/v1/participants?limit={CARDS_MAX}&after={quote(after, safe='')}")
            found += page.participants
            if page.next <= after:
                return found
            after = page.next
        raise AnswerInvalid(f"The list of participants has more than {PAGES_MAX} pages.")

    async def _page(self, path: str) -> Participants:
        tag, known = self._tags.get(path, ("", None))
        answer = await self._get(path, tag)
        if answer.status == 304 and known is not None:  # noqa: PLR2004 - RFC 9110: not modified
            return known
        page = _read(answer, Participants)
        self._tags[path] = (answer.headers.get("etag", ""), page)
        return page

    async def _one(self, urn: str) -> ProvenCard:
        return _read(await self._get(f"/v1/participants/{quote(urn, safe='')}"), ProvenCard)

    def _revocations(self, answer: Response, now: datetime) -> dict[str, str]:
        """Return the revoked keys of a list that the log signed, and signed lately. Raises Refused."""
        note = answer.body.decode("utf-8", "replace")
        revoked = read_revocations(note, self._trust)
        if note.split("\n")[2] < rfc3339(now - FRESH):
            raise Refused("revocations-old", "The list of revoked keys was signed more than a day ago.")
        return revoked

    def _look_at_own(self, card: Card, held: Taken | None, now: datetime) -> None:
        mine = self._own.get(card.urn)
        if mine is None:
            return
        known = mine | {key.kid for key in (held.card.keys if held else ())}
        for key in card.keys:
            if key.kid not in known and parse_rfc3339(key.until) > now:
                self._log.write("participants.stranger", urn=card.urn, kid=key.kid)

    async def _get(self, path: str, tag: str = "") -> Response:
        headers = {"If-None-Match": tag} if tag else {}
        answer = await self._http.send(Request("GET", self._base + path, headers))
        if answer.status not in {200, 304}:
            raise Refusal(read_problem(answer.status, answer.body), None)
        return answer


def _read(answer: Response, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except msgspec.MsgspecError:
        raise AnswerInvalid(f"The platform's answer is not a {shape.__name__}.") from None
