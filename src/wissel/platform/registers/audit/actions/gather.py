"""Gathering cosignatures: each witness gets the newest checkpoint with a consistency proof (C2SP tlog-witness)."""

import asyncio
import base64
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from wissel.core.entropy import Entropy, jitter
from wissel.core.errors import WisselError
from wissel.core.moments import to_ms
from wissel.core.tree import consistency_path
from wissel.infra.sql.ports import Statement
from wissel.messages.notes import note
from wissel.platform.registers.audit import store
from wissel.platform.registers.audit.actions.log import AuditLog
from wissel.platform.registers.audit.errors import LogInconsistent
from wissel.platform.registers.audit.ports import WitnessAnswer, WitnessCall
from wissel.platform.registers.audit.rules import cosigned_ms, outvoted, signed_by, wants_consistency
from wissel.platform.registers.audit.words import Head, WitnessCard, WitnessState

CALLS_AT_ONCE_MAX: Final = 32
BACKOFF_MS_FIRST: Final = 1_000
BACKOFF_MS_MAX: Final = 300_000
LINES_MAX: Final = 16

_DECIMAL: Final = re.compile(r"(0|[1-9][0-9]{0,18})\n?")
_OK: Final = 200
_CONFLICT: Final = 409
_UNPROVEN: Final = 422


class _Newest:
    """The checkpoint that goes round: its log, size and note, and who has cosigned it."""

    def __init__(self, head: Head, size: int, note: str, cosigned: set[str]) -> None:
        self.head, self.size, self.note, self.cosigned = head, size, note, cosigned
        self.body = note.partition("\n\n")[0] + "\n"


class Witnesses:
    """Asks the witnesses of `cards()`, many at a time; a slow or broken one only ever delays itself."""

    def __init__(
        self, log: AuditLog, *, call: WitnessCall, cards: Callable[[], Sequence[WitnessCard]], entropy: Entropy
    ) -> None:
        self._log = log
        self._database = log.database
        self._call = call
        self._cards = cards
        self._entropy = entropy

    async def step(self, now: datetime) -> int:
        """Send the newest checkpoint to witnesses that are due and did not sign it; return how many signed.

        When the witnesses outvote us (`rules.outvoted`) the log becomes read-only and LogInconsistent is raised.
        """
        if self._log.trouble or (newest := await self._newest()) is None:
            return 0
        known = await store.witnesses(self._database, newest.head.log)
        now_ms = to_ms(now)
        due = [
            (card, state)
            for card in self._cards()
            if card.urn not in newest.cosigned and (state := known.get(card.urn, WitnessState())).due_ms <= now_ms
        ][:CALLS_AT_ONCE_MAX]
        states = await asyncio.gather(*(self._ask(newest, card, state, now_ms) for card, state in due))
        after = {**known, **{card.urn: state for (card, _), state in zip(due, states, strict=True)}}
        self._weigh(newest.head, after)
        return sum(state.failures == 0 for state in states)

    async def _newest(self) -> _Newest | None:
        head = await store.open_head(self._database)
        newest = await store.newest_checkpoint(self._database, head.log, 1) if head else None
        if head is None or newest is None:
            return None
        done = {witness for witness, _ in await store.cosignatures(self._database, head.log, newest[0])}
        return _Newest(head, *newest, done)

    def _weigh(self, head: Head, known: dict[str, WitnessState]) -> None:
        if outvoted(known.values(), self._log.quorum):
            quarrels = sorted(urn for urn, state in known.items() if state.quarrel)
            error = LogInconsistent(
                f"{len(quarrels)} witnesses know another or a longer log {head.origin}: {', '.join(quarrels[:5])}."
                " Nothing is signed until an operator has run wissel audit reopen."
            )
            self._log.distrust(error)
            raise error

    async def _ask(self, newest: _Newest, card: WitnessCard, state: WitnessState, now_ms: int) -> WitnessState:
        """Ask one witness, once more if it says from where to prove, and keep what is known of it then."""
        lines = list[Statement]()
        size, quarrel, signed = state.size, state.quarrel, False
        try:
            answer = await self._send(newest, card, size)
            if answer.status == _CONFLICT and (said := _size(answer.body)) is not None:
                size, quarrel = said, ""
                if said > newest.size:
                    quarrel = "ahead"
                elif said != state.size:
                    answer = await self._send(newest, card, said)
            if answer.status in {_CONFLICT, _UNPROVEN} and not quarrel:
                quarrel = (
                    "disagrees"  # it holds a head of this very size, or a smaller one, that ours does not continue
                )
            line = self._good_line(newest, card, answer)
            if line:
                size, quarrel, signed = newest.size, "", True
                lines = [store.add_cosignature(newest.head.log, newest.size, card.urn, line, cosigned_ms(line))]
        except WisselError:
            signed = False  # no answer: the failure is counted, the back-off grows
        failures = 0 if signed else state.failures + 1
        due_ms = now_ms if signed else now_ms + self._backoff_ms(failures)
        kept = WitnessState(size, failures, due_ms, quarrel)
        await self._database.commit([*lines, store.keep_witness(newest.head.log, card.urn, kept)])
        return kept

    async def _send(self, newest: _Newest, card: WitnessCard, old: int) -> WitnessAnswer:
        size = newest.size
        path = list[bytes]()
        if 0 < old <= size:
            read = await self._log.tiles.load(newest.head.log, wants_consistency(old, size))
            path = consistency_path(old, size, read)
        proof = "".join(f"{base64.b64encode(step).decode()}\n" for step in path)
        return await self._call(card.urn, f"old {min(old, size)}\n{proof}\n{newest.note}")

    def _good_line(self, newest: _Newest, card: WitnessCard, answer: WitnessAnswer) -> str:
        """Return the first line of the answer that is this witness's good cosignature; empty when none is."""
        if answer.status != _OK:
            return ""
        for line in answer.body.split("\n")[:LINES_MAX]:
            if signed_by(note(newest.body, [f"{line}\n"]), card.vkey):
                return line
        return ""

    def _backoff_ms(self, failures: int) -> int:
        longest = min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST << min(failures, 20))
        return int(longest * (0.5 + 0.5 * jitter(self._entropy)))


def _size(body: str) -> int | None:
    """Read the body of a 409 (text/x.tlog.size): a decimal number and a newline."""
    found = _DECIMAL.fullmatch(body)
    return int(found[1]) if found else None
