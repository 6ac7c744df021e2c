"""What the connector promises: it verifies, books once, answers the same, says things in order, and never refuses."""

import base64
import json
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from tests.institution.connector_scene import CONNECTOR, PERSON, SUBJECT, VWO, Scene, urn

from wissel.infra.http.memory import MemoryHttp
from wissel.infra.http.ports import Request, Response
from wissel.institution.build import build
from wissel.messages.enrolment import ForeignDiploma
from wissel.messages.envelope import Offered, Submission
from wissel.messages.identity import EducationAnswered, IdentityAnswered, ResidenceAnswered
from wissel.messages.payments import MandateConfirmed
from wissel.messages.verify import b64, sha256


def _again(offered: Offered, jws: str, *, token: str = "") -> Submission:
    """Return the submission behind an offer, with another signature or token."""
    sender = offered.sender
    if token:
        sender = msgspec.structs.replace(sender, token=token, tokenhash=b64(sha256(token.encode())))
    sender = msgspec.structs.replace(sender, jws=jws)
    return Submission(envelope=offered.envelope, data=offered.data, nonce=offered.nonce, sender=sender)


async def test_a_fine_request_ends_with_the_proof_of_enrolment_and_the_register_delivery(scene: Scene) -> None:
    await scene.enrol_to_ready()
    said = [one.envelope.type for one in scene.platform.accepted]
    kinds = ("gates.stated", "gate.decided", "fee.stated", "admission.decided")
    assert said == [f"nl.wissel.{kind}.v1" for kind in kinds]
    assert scene.platform.data("admission.decided") == {"decision": "admitted", "role": "admission rule"}
    await scene.hear(scene.ready())
    proof, report = scene.platform.data("enrolment.confirmed"), scene.platform.data("enrolment.reported")
    pdf = base64.b64decode(proof["document"]["base64"])
    assert pdf.startswith(b"%PDF-")
    assert proof["document"]["sha256"] == b64(sha256(pdf))
    assert (proof["studentnumber"], proof["studyyear"], proof["form"]) == ("1000001", "2026-27", "fulltime")
    assert proof["rights"]
    assert (report["bsn"], report["studentnumber"], report["brin"]) == ("999990019", "1000001", "99XA")
    assert {receipt.outcome for receipt in scene.platform.receipts} == {"accepted"}
    counts = await scene.sis.counts()
    assert (counts["students"], counts["registrations"], counts["enrolled"], counts["twice"]) == (1, 1, 1, 0)


async def test_the_fee_follows_from_the_law_and_says_that_a_sample_amount_is_invented(scene: Scene) -> None:
    await scene.enrol_to_ready()
    fee = scene.platform.data("fee.stated")
    assert (fee["basis"], fee["article"], fee["amount"], fee["fictitious"]) == ("statutory", "WHW 7.45a", 270_000, True)
    statement = scene.platform.said("fee.stated")[0].envelope.id
    mandate = MandateConfirmed(statement=statement, result="confirmed", reference="MNDT-1", amount=270_000, parts=1)
    await scene.hear(scene.answer("mandate.confirmed", "psp", mandate))
    account = await scene.finance.account(scene.process)
    assert account is not None
    assert (account.amount_cents, account.mandate) == (270_000, "MNDT-1")


async def test_who_begins_later_pays_a_twelfth_less_for_each_month_that_passed(scene: Scene) -> None:
    await scene.hear(scene.request(start="2027-02-01"))
    await scene.hear(scene.answer("education.answered", "duo", EducationAnswered(diplomas=(VWO,))))
    fee = scene.platform.data("fee.stated")
    assert fee["amount"] == 157_500
    assert [reduction["ground"] for reduction in fee["reductions"]] == ["joinedlater"]


async def test_messages_to_the_learner_lean_on_her_request_and_follow_each_other(scene: Scene) -> None:
    await scene.enrol_to_ready()
    to_learner = [one for one in scene.platform.accepted if one.envelope.recipient == SUBJECT]
    assert [one.envelope.sequence for one in to_learner] == ["1", "2", "3", "4"]
    assert len({one.envelope.grant for one in to_learner}) == 1
    assert to_learner[0].envelope.grant != "g"


async def test_the_same_message_again_gets_the_same_receipt_and_does_nothing(scene: Scene) -> None:
    offered = scene.request()
    first = await scene.post("messages", msgspec.json.encode({"messages": [offered]}))
    scene.clock.at += timedelta(minutes=5)
    again = await scene.post("messages", msgspec.json.encode({"messages": [offered]}))
    assert first.status == again.status == 200
    assert first.body == again.body
    await scene.work()
    assert (await scene.sis.counts())["registrations"] == 1
    assert len(scene.platform.said("gates.stated")) == 1


async def test_the_same_id_with_another_acknowledgement_is_rejected(scene: Scene) -> None:
    offered = scene.request()
    await scene.post("messages", msgspec.json.encode({"messages": [offered]}))
    other = msgspec.structs.replace(scene.request(programme="80059"), envelope=offered.envelope)
    answer = await scene.post("messages", msgspec.json.encode({"messages": [other]}))
    assert json.loads(answer.body)["receipts"] == []
    scene.clock.at += timedelta(seconds=1)
    await scene.hear(scene.offer(_again(offered, offered.sender.jws)))
    assert [receipt.reason for receipt in scene.platform.receipts] == ["id-taken"]


async def test_a_crash_between_the_sis_and_the_connectors_book_repeats_nothing(scene: Scene) -> None:
    book = scene.built.desks["noord"]._served.book
    commit, fails = book.commit, [True]

    async def once_fails(unit: object) -> None:
        if fails.pop() if fails else False:
            raise RuntimeError("power cut")
        await commit(unit)  # type: ignore[arg-type] # passed on as it came

    object.__setattr__(book, "commit", once_fails)
    with pytest.raises(RuntimeError, match="power cut"):
        await scene.hear(scene.request())
    assert (await scene.sis.counts())["registrations"] == 1
    await scene.work()
    assert (await scene.sis.counts())["registrations"] == 1
    assert len(scene.platform.said("gates.stated")) == 1
    assert [receipt.outcome for receipt in scene.platform.receipts] == ["accepted"]


async def test_a_restart_loses_nothing_that_was_said_or_heard(scene: Scene) -> None:
    scene.platform.refuse = lambda _: Response(503, {"retry-after": "1"}, b"")
    await scene.hear(scene.request())
    assert scene.platform.accepted == []
    scene.close()
    await scene.open()
    scene.platform.refuse = lambda _: None
    scene.clock.at += timedelta(minutes=10)
    await scene.work()
    assert len(scene.platform.said("gates.stated")) == 1


@pytest.mark.parametrize("flaw", ["acknowledgement", "payload", "recipient", "stranger", "token", "header"])
async def test_what_is_not_what_it_says_is_not_booked(scene: Scene, flaw: str) -> None:
    offered = scene.request()
    replace = msgspec.structs.replace
    if flaw == "acknowledgement":
        bad = replace(offered, acknowledgement=scene.platform.keys["duo"].sign(b"{}", typ="wissel-acknowledgement"))
    elif flaw == "payload":
        bad = replace(offered, data=msgspec.Raw(bytes(offered.data).replace(b"Noor", b"Roos")))
    elif flaw == "recipient":
        scene.house = replace(scene.house, urn=urn("another"))
        bad = scene.request()
    elif flaw == "stranger":
        bad = scene.answer("identity.answered", "duo", IdentityAnswered(result="verified"))
        bad = scene.offer(_again(bad, scene.platform.keys["psp"].sign(b"x", detached=True)))
    elif flaw == "token":
        bad = scene.offer(_again(offered, offered.sender.jws, token=scene.platform.keys["eduid"].sign(b"{}")))
    else:
        bad = replace(offered, header=scene.request().header)
    await scene.hear(bad)
    assert (await scene.sis.counts())["changes"] == 0
    assert scene.platform.accepted == []
    assert {receipt.outcome for receipt in scene.platform.receipts} <= {"rejected"}
    assert any(line["event"] == "message.unsound" for line in scene.log.lines)


async def test_an_unknown_key_is_asked_for_later_not_rejected(scene: Scene) -> None:
    stranger = scene.platform.keys["duo"] = type(scene.platform.keys["duo"]).new(scene.entropy)
    await scene.hear(scene.request())
    await scene.hear(scene.answer("identity.answered", "duo", IdentityAnswered(result="verified")))
    assert stranger.kid
    assert "later" in {receipt.outcome for receipt in scene.platform.receipts}
    assert (await scene.sis.counts())["changes"] == 2


async def test_a_message_without_a_case_is_rejected_with_a_reason(scene: Scene) -> None:
    scene.process = scene.new_id()
    await scene.hear(scene.answer("identity.answered", "duo", IdentityAnswered(result="verified")))
    assert [(receipt.outcome, receipt.reason) for receipt in scene.platform.receipts] == [("rejected", "case-unknown")]


async def test_a_rule_may_admit_but_never_refuses(scene: Scene) -> None:
    await scene.hear(scene.request())
    await scene.hear(scene.answer("identity.answered", "duo", IdentityAnswered(result="unknown")))
    await scene.hear(scene.answer("education.answered", "duo", EducationAnswered()))
    await scene.hear(scene.asked("identity", "unknown"), scene.asked("education", "unknown"))
    assert scene.platform.said("admission.decided") == []
    listed = json.loads((await scene.staff("GET", "")).body)
    assert {(task["what"], task["about"]) for task in listed["tasks"]} == {
        ("judge", "identity"),
        ("judge", "education"),
    }


async def test_a_foreign_learner_leads_to_questions_to_ind(scene: Scene) -> None:
    person = msgspec.structs.replace(PERSON, nationality="BR")
    await scene.hear(scene.request(person=person))
    asked = scene.platform.data("residence.asked")
    assert (asked["nationality"], asked["day"]) == ("BR", "2026-09-01")
    stated = {gate["gate"] for gate in scene.platform.data("gates.stated")["gates"]}
    assert stated == {"studychoice", "residence"}
    await scene.hear(scene.answer("identity.answered", "duo", IdentityAnswered(result="verified")))
    await scene.hear(scene.answer("education.answered", "duo", EducationAnswered(diplomas=(VWO,))))
    assert scene.platform.said("admission.decided") == []
    assert scene.platform.data("fee.stated")["basis"] == "institutional"
    await scene.hear(scene.answer("residence.answered", "ind", ResidenceAnswered(result="lawful")))
    assert len(scene.platform.said("admission.decided")) == 1


async def test_a_question_that_nobody_may_be_asked_becomes_a_task(scene: Scene) -> None:
    diploma = ForeignDiploma(name="Abitur", country="DE", language="deu", year=2024, school="Ein Gymnasium")
    await scene.hear(scene.request(foreigndiplomas=(diploma,)))
    listed = json.loads((await scene.staff("GET", "")).body)
    assert ("nobody", "nuffic") in {(task["what"], task["about"]) for task in listed["tasks"]}


async def test_a_withdrawn_request_is_booked_and_its_tasks_go(scene: Scene) -> None:
    await scene.hear(scene.request())
    await scene.hear(scene.asked("identity", "unproven"))
    await scene.hear(scene.withdrawal())
    registration = await scene.sis.registration(scene.process)
    assert registration is not None
    assert registration.status == "withdrawn"
    assert json.loads((await scene.staff("GET", "")).body)["tasks"] == []


async def test_what_the_platform_will_never_take_is_put_before_a_person_and_the_lane_goes_on(scene: Scene) -> None:
    refused: list[str] = []

    def refuse_first(submission: object) -> Response | None:
        if refused:
            return None
        refused.append("once")
        return Response(422, {}, b'{"title":"No","status":422,"code":"not-today"}')

    scene.platform.refuse = refuse_first
    await scene.hear(scene.request())
    assert [one.envelope.sequence for one in scene.platform.said("gate.decided")] == ["1"]
    listed = json.loads((await scene.staff("GET", "")).body)
    assert ("refused", "not-today") in {(task["what"], task["about"]) for task in listed["tasks"]}


async def test_no_log_line_holds_who_the_learner_is(scene: Scene) -> None:
    await scene.enrol_to_ready()
    await scene.hear(scene.ready())
    lines = json.dumps(scene.log.lines)
    assert all(marker not in lines for marker in ("Noor", "Voorbeeld", "999990019", "Dorpsstraat", "noor@"))


async def test_a_served_institutions_mandate_stands_in_each_of_its_log_lines(tmp_path: Path) -> None:
    scene = Scene(tmp_path, which=2)
    await scene.open()
    await scene.hear(scene.request(programme="56551"))
    lines = [line for line in scene.log.lines if str(line["event"]).startswith("message.")]
    assert lines
    assert {line.get("mandate") for line in lines} == {"2026-2"}
    scene.close()


async def test_a_platform_that_is_away_is_tried_again(scene: Scene) -> None:
    scene.platform.away = True
    await scene.hear(scene.request())
    assert scene.platform.receipts == []
    calls = len(scene.log.lines)
    await scene.work()
    assert len(scene.log.lines) == calls, "it was tried again at once"
    scene.platform.away = False
    scene.clock.at += timedelta(seconds=30)
    await scene.work()
    assert [receipt.outcome for receipt in scene.platform.receipts] == ["accepted"]


async def test_one_connector_serves_several_institutions_apart(tmp_path: Path) -> None:
    first, second = Scene(tmp_path, which=1), Scene(tmp_path, which=2)
    second.entropy = first.entropy
    await first.open()
    await second.open()
    both = build([*first.opened, *second.opened], tools=first.tools, base=CONNECTOR)
    assert set(both.desks) == {"zee", "land"}
    assert (first.keys.sign.kid, first.keys.seal.kid) != (second.keys.sign.kid, second.keys.seal.kid)
    http = MemoryHttp({CONNECTOR: both.app})
    for token, short, status in ((first.keys.desk, "zee", 200), (first.keys.desk, "land", 401)):
        headers = {"authorization": f"Bearer {token}"}
        assert (await http.send(Request("GET", f"{CONNECTOR}/{short}/desk", headers))).status == status
    for scene in (first, second):
        scene.close()
