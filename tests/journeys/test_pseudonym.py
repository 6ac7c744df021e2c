"""Who she is in an institution's books reaches that institution beside every message, and its SIS."""

from pathlib import Path

import msgspec
from tests.journeys.nation import nation

from wissel.infra.http.ports import Request, Response
from wissel.infra.sql.sqlite import SqliteReader
from wissel.messages.envelope import Offered
from wissel.messages.verify import jws_header, open_jwe, parse_json, unb64

LINKED = "nl.wissel.eduid.linked.v1"


class Mailbox(msgspec.Struct):
    """What the mailbox answers."""

    offered: tuple[Offered, ...]


async def test_after_eduids_word_every_message_to_the_institution_brings_her_pseudonym(tmp_path: Path) -> None:
    async with nation(tmp_path / "data") as here:
        offers: dict[str, Offered] = {}
        carry = here.network.send

        async def listen(request: Request) -> Response:
            answer = await carry(request)
            if "/v1/mailbox?" in request.url and answer.status == 200:
                mailbox = msgspec.json.decode(answer.body, type=Mailbox)
                offers.update({each.envelope.id: each for each in mailbox.offered})
            return answer

        here.network.send = listen  # type: ignore[method-assign]  # the one network, overheard
        process = await here.enrol(await here.learner("everything-fine"))
        await here.until("process.forgotten", process)
        place = here.scene.data / "institutions" / "noord"
        seal = parse_json((place / "keys" / "seal.json").read_bytes())
        said = {}
        for offered in offers.values():
            signed = open_jwe(offered.header, seal).decode() if offered.header else ""
            said[offered.envelope.type] = parse_json(_payload(signed)) if signed else {}
        linked = next(each for each in offers.values() if each.envelope.type == LINKED)
        hers = msgspec.json.decode(linked.data)["pseudonym"]
        assert said[LINKED]["pseudonym"] == hers
        assert said["nl.wissel.enrolment.ready.v1"]["pseudonym"] == hers
        assert {kind for kind, header in said.items() if header.get("capability")} == {
            "nl.wissel.enrolment.requested.v1"
        }
        reader = SqliteReader(place / "sis" / "sis.sqlite")
        facts = await reader.fetch("SELECT value FROM facts WHERE process = ? AND field = 'pseudonym'", (process,))
        assert facts == [(hers,)]
        reader.close()


def _payload(signed: str) -> bytes:
    """Return what a header says; that its signature holds is the connector's to check, and it took the message."""
    assert jws_header(signed)["typ"] == "wissel-header+jws"
    return unb64(signed.split(".")[1])
