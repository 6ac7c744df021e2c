"""The PSP's adapter before the played PSP's real door: what each message becomes there, in whatever order they come."""

from collections.abc import AsyncIterator
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.chain.test_chain_psp import Played

from wissel.infra.http.memory import MemoryHttp
from wissel.messages.envelope import Envelope, Offered, SenderProof
from wissel.messages.fields import Payload
from wissel.messages.payments import MandateAsked, MandateCancelled, MandateConfirmed
from wissel.platform.partners.ports import PartnerBusy, PartnerRefused, Reply
from wissel.platform.partners.psp.actions import translate
from wissel.platform.partners.runner import ApiCall

ORDER = "0197a1b2-0000-7000-8000-000000000001"
MINE, OTHER = (f"0197a1b2-0000-8000-8000-00000000000{number}" for number in (1, 2))
PLATFORM = "urn:nld:oin:00000099000000001000:systeem:wissel"


def offered(process: str = MINE) -> Offered:
    """Return a message as the adapter is handed it; it looks at the process only."""
    envelope = {
        "id": ORDER,
        "type": "nl.wissel.mandate.asked.v1",
        "source": PLATFORM,
        "recipient": PLATFORM,
        "subject": f"urn:wissel:learner:{ORDER}",
        "time": "2026-04-15T09:00:00.000Z",
        "process": process,
        "sequence": "1",
        "purpose": "p",
        "legalground": "g",
        "controller": PLATFORM,
        "processingactivity": "a",
        "grant": "g",
        "dataclass": "personal",
        "enddate": "2027-10-12",
        "log": "wissel.test/log",
    }
    proof = SenderProof(kind="signature", jws="x")
    said = msgspec.convert(envelope, Envelope)
    return Offered(envelope=said, data=msgspec.Raw(b"{}"), nonce="n", sender=proof, acknowledgement="a")


def asked(**changes: Any) -> MandateAsked:
    """Return a question for a mandate."""
    data = MandateAsked(
        order=ORDER,
        statement=ORDER,
        creditor="Hogeschool Voorbeeld",
        studyyear="2026-27",
        amount=252_400,
        parts=5,
        iban="NL97TEST0000000176",
        holder="Test Everything-Fine",
        due="2026-08-31",
    )
    return msgspec.structs.replace(data, **changes)


class Desk:
    """The adapter's translation, calling the played PSP over HTTP in memory."""

    def __init__(self, played: Played) -> None:
        self.played = played
        http = MemoryHttp({"http://psp": played.client.app})
        self._call = ApiCall(http=http, base="http://psp", headers={"X-Api-Key": "psp-key"})

    async def say(self, data: Payload, process: str = MINE) -> Reply:
        return await translate(self._call, offered(process), data)

    async def book(self) -> dict[str, int]:
        found: dict[str, int] = (await self.played.client.get("/play/book")).json()
        return found


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    played = Played(tmp_path)
    async with played.client:
        yield Desk(played)
    played.store.close()


async def test_an_undecided_mandate_is_asked_again_and_is_one_order(desk: Desk) -> None:
    for _ in range(2):
        with pytest.raises(PartnerBusy):
            await desk.say(asked())
    await desk.played.after(5)
    reply = await desk.say(asked())
    assert isinstance(reply.data, MandateConfirmed)
    assert (reply.data.statement, reply.data.result, reply.data.amount) == (ORDER, "confirmed", 252_400)
    assert (await desk.book())["confirmed"] == 1


@pytest.mark.parametrize("acts", list(permutations(("ask", "bank", "cancel"))))
async def test_cancelled_is_how_it_ends_and_nobody_is_told_that_it_was_confirmed(
    desk: Desk, acts: tuple[str, ...]
) -> None:
    for act in acts:
        if act == "bank":
            await desk.played.after(5)
        elif act == "cancel":
            assert (await desk.say(MandateCancelled(order=ORDER))).data is None
        elif "cancel" in acts[: acts.index("ask")]:
            assert (await desk.say(asked())).data is None
        else:
            with pytest.raises(PartnerBusy):
                await desk.say(asked())
    await desk.played.after(5)
    assert (await desk.say(asked())).data is None, "its receipt, and no answer"
    found = await desk.book()
    assert (found["cancelled"], found["confirmed"], found["open"], found["cents"]) == (1, 0, 0, 0)


async def test_a_process_reaches_no_order_of_another_though_it_names_the_same(desk: Desk) -> None:
    with pytest.raises(PartnerBusy):
        await desk.say(asked())
    await desk.say(MandateCancelled(order=ORDER), OTHER)
    await desk.played.after(5)
    reply = await desk.say(asked())
    assert isinstance(reply.data, MandateConfirmed)
    assert reply.data.result == "confirmed"


async def test_what_a_psp_is_not_asked_it_refuses(desk: Desk) -> None:
    with pytest.raises(PartnerRefused):
        await desk.say(MandateConfirmed(statement=ORDER, result="confirmed", amount=1, parts=1))
