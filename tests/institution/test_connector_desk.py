"""What people at an institution may decide, and what the connector holds them to."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.institution.connector_scene import NOW, SUBJECT, VWO, Scene

from wissel.messages.enrolment import DeadlinePassed, StatementQuestioned
from wissel.messages.envelope import Offered, Submission
from wissel.messages.identity import Degree, EducationAnswered, IdentityAnswered
from wissel.messages.jose import hash64
from wissel.messages.payments import MandateConfirmed


async def code_of(scene: Scene, what: str, body: object) -> str:
    answer = await scene.staff("POST", what, body)
    assert answer.status >= 400, answer
    return str(json.loads(answer.body)["code"])


async def tasks_of(scene: Scene) -> set[tuple[str, str]]:
    listed = json.loads((await scene.staff("GET", "")).body)
    return {(task["what"], task["about"]) for task in listed["tasks"]}


async def test_a_refusal_names_ground_reason_role_and_how_to_object_within_six_weeks(scene: Scene) -> None:
    await scene.hear(scene.request(bsn=""))
    refusal = {"process": scene.process, "decision": "refused", "role": "admissions officer"}
    assert await code_of(scene, "/admissions", refusal) == "institution-not-decidable"
    assert await code_of(scene, "/admissions", {**refusal, "ground": "education"}) == "institution-not-decidable"
    full = {**refusal, "ground": "education", "text": "The diploma shown does not give access."}
    assert (await scene.staff("POST", "/admissions", full)).status == 204
    await scene.work()
    said = scene.platform.data("admission.decided")
    assert (said["decision"], said["ground"], said["role"]) == ("refused", "education", "admissions officer")
    assert said["objection"]["until"] == (NOW + timedelta(weeks=6)).date().isoformat()
    assert said["objection"]["where"]
    registration = await scene.sis.registration(scene.process)
    assert registration is not None
    assert registration.status == "refused"
    assert await code_of(scene, "/admissions", full) == "institution-not-decidable"
    assert (await scene.sis.counts())["twice"] == 0


async def test_a_ground_that_does_not_exist_for_this_request_is_refused(scene: Scene) -> None:
    await scene.hear(scene.request())
    refusal = {"process": scene.process, "decision": "refused", "role": "r", "text": "t"}
    for ground in ("lateapplication", "masterlevel"):
        assert await code_of(scene, "/admissions", {**refusal, "ground": ground}) == "institution-not-decidable"
    assert await code_of(scene, "/admissions", {**refusal, "ground": "mood"}) == "body-unreadable"


async def test_a_late_request_may_be_refused_as_late(scene: Scene) -> None:
    scene.clock.at = NOW + timedelta(days=60)
    await scene.hear(scene.request())
    refusal = {"process": scene.process, "decision": "refused", "role": "r", "text": "t", "ground": "lateapplication"}
    assert (await scene.staff("POST", "/admissions", refusal)).status == 204


async def test_a_gate_met_by_hand_lets_the_rule_admit_and_states_the_fee(scene: Scene) -> None:
    await scene.hear(scene.request(bsn=""))
    await scene.hear(scene.asked("identity", "unproven"), scene.asked("education", "unproven"))
    for gate in ("identity", "education"):
        body = {"process": scene.process, "gate": gate, "decision": "met", "role": "officer", "ground": "seen"}
        assert (await scene.staff("POST", "/gates", body)).status == 204
    await scene.work()
    assert len(scene.platform.said("admission.decided")) == 1
    assert len(scene.platform.said("fee.stated")) == 1
    assert await tasks_of(scene) == set()


async def test_a_gate_that_is_not_met_says_why_and_how_to_object(scene: Scene) -> None:
    await scene.hear(scene.request())
    body = {"process": scene.process, "gate": "studychoice", "decision": "notmet", "role": "officer", "ground": "WHW"}
    assert await code_of(scene, "/gates", body) == "institution-not-decidable"
    assert (await scene.staff("POST", "/gates", {**body, "text": "Absent."})).status == 204
    await scene.work()
    last = msgspec.json.decode(scene.platform.said("gate.decided")[-1].data)
    assert (last["decision"], last["objection"]["until"]) == ("notmet", "2026-05-27")


async def test_without_a_number_enrolment_waits_until_one_is_entered(scene: Scene) -> None:
    await scene.hear(scene.request(bsn=""))
    await scene.hear(scene.answer("identity.answered", "duo", IdentityAnswered(result="verified")))
    await scene.hear(scene.ready())
    assert scene.platform.said("enrolment.confirmed") == []
    assert ("number", "enrolment") in await tasks_of(scene)
    assert await code_of(scene, "/numbers", {"process": scene.process, "number": "12"}) == "institution-not-decidable"
    assert (await scene.staff("POST", "/numbers", {"process": scene.process, "number": "999990020"})).status == 204
    await scene.work()
    assert scene.platform.data("enrolment.reported")["bsn"] == "999990020"
    assert len(scene.platform.said("enrolment.confirmed")) == 1
    assert ("number", "enrolment") not in await tasks_of(scene)


async def test_an_education_number_of_duo_serves_who_has_no_bsn(scene: Scene) -> None:
    await scene.hear(scene.request(bsn=""))
    answer = IdentityAnswered(result="verified", educationnumber="100000009")
    await scene.hear(scene.answer("identity.answered", "duo", answer))
    await scene.hear(scene.ready())
    assert scene.platform.data("enrolment.reported")["bsn"] == "100000009"


async def test_where_no_fee_is_laid_down_a_person_states_it(scene: Scene) -> None:
    await scene.hear(scene.request(studyyear="2028-29", start="2028-09-01"))
    await scene.hear(scene.answer("education.answered", "duo", EducationAnswered(diplomas=(VWO,))))
    assert ("state-fee", "payment") in await tasks_of(scene)
    fee = {
        "studyyear": "2028-29",
        "basis": "statutory",
        "article": "WHW 7.45a",
        "annual": 280_000,
        "amount": 280_000,
        "source": "board decision 12",
    }
    assert (await scene.staff("POST", "/fees", {"process": scene.process, "fee": fee})).status == 204
    await scene.work()
    assert scene.platform.data("fee.stated")["amount"] == 280_000
    assert await tasks_of(scene) == set()


async def test_deadlines_and_questions_of_the_platform_wait_for_a_person(scene: Scene) -> None:
    await scene.hear(scene.request())
    passed = DeadlinePassed(gate="decision", due="2026-07-01")
    question = StatementQuestioned(statement=scene.new_id(), rule="WHW 7.48(5)", text="Not the law's amount.")
    await scene.hear(
        scene.answer("deadline.passed", "platform", passed),
        scene.answer("statement.questioned", "platform", question),
    )
    assert await tasks_of(scene) == {("decide", "admission"), ("questioned", "WHW 7.48(5)")}


async def test_a_notice_months_later_goes_by_the_capability_that_the_learner_left(scene: Scene) -> None:
    await scene.hear(scene.request())
    first = scene.process
    scene.clock.at = NOW + timedelta(days=90)
    for title in ("One", "Two"):
        body = {"process": first, "title": title, "text": "Your result is in."}
        assert (await scene.staff("POST", "/notices", body)).status == 204
    await scene.work()
    one, two = scene.platform.said("notice.sent")
    assert one.capability == two.capability == "cap.jwe"
    assert one.envelope.grant == hash64("cap.jwe")
    assert one.envelope.process not in {first, two.envelope.process}
    assert one.envelope.sequence == two.envelope.sequence == "1"
    assert len({SUBJECT, one.envelope.subject, two.envelope.subject}) == 3


async def test_a_withdrawn_capability_is_not_used_again(scene: Scene) -> None:
    await scene.hear(scene.request())
    body = {"process": scene.process, "title": "One", "text": "t"}
    await scene.staff("POST", "/notices", body)
    await scene.work()
    await scene.deliver(scene.copy_of(scene.platform.said("notice.sent")[0], delivered=False, why="withdrawn"))
    assert await code_of(scene, "/notices", body) == "institution-case-unknown"
    assert any(what == "undelivered" for what, _ in await tasks_of(scene))


async def test_the_desk_is_for_its_own_people(scene: Scene) -> None:
    for token in ("wrong", "x" * 43):
        assert (await scene.staff("GET", "", token=token)).status == 401
    assert await code_of(scene, "/admissions", {"process": "none", "decision": "admitted", "role": "r"}) == (
        "institution-case-unknown"
    )
    assert await code_of(scene, "/notices", {"process": "none", "title": "t", "text": "t"}) == (
        "institution-case-unknown"
    )


@pytest.mark.parametrize("studyyear", ["2026-27", "2027-28"])
async def test_sample_amounts_always_say_that_they_are_invented(tmp_path: Path, studyyear: str) -> None:
    scene = Scene(tmp_path)
    assert all(
        fees.fictitious and "fictitious" in fees.source for fees in scene.house.fees if fees.studyyear == studyyear
    )
    await scene.open()
    scene.close()


async def test_lateness_goes_by_when_the_platform_took_the_request_not_by_what_its_portal_says(scene: Scene) -> None:
    """WHW 7.31a: 1 May; the time in the envelope is the sender's own word."""
    offered = scene.request()
    scene.clock.at = datetime(2026, 5, 1, 22, 0, 0, tzinfo=UTC)  # 2 May in Amsterdam
    await scene.hear(scene.offer(_as_sent(offered)))
    refusal = {"process": scene.process, "decision": "refused", "role": "r", "text": "t", "ground": "lateapplication"}
    assert (await scene.staff("POST", "/admissions", refusal)).status == 204


def _as_sent(offered: Offered) -> Submission:
    """Return the submission inside an offer, which the platform may take at another moment."""
    return Submission(envelope=offered.envelope, data=offered.data, nonce=offered.nonce, sender=offered.sender)


async def test_where_an_earlier_degree_counts_a_person_states_the_fee(scene: Scene) -> None:
    """UB 2.3 and 2.3a may still give the statutory fee, once in education or health care, or for a parallel study."""
    await scene.hear(scene.request())
    degree = Degree(level="bachelor", day="2024-07-01", field="other", institution="Hogeschool Elders")
    await scene.hear(scene.answer("education.answered", "duo", EducationAnswered(diplomas=(VWO,), degrees=(degree,))))
    assert scene.platform.said("fee.stated") == []
    assert ("state-fee", "payment") in await tasks_of(scene)


async def test_what_is_said_about_a_study_year_ends_with_that_year_also_when_it_has_begun(scene: Scene) -> None:
    """Section 7 of our law notes: 31 August of the study year and six weeks, not of the year after it."""
    scene.clock.at = datetime(2026, 10, 15, 9, 0, tzinfo=UTC)
    await scene.hear(scene.request(start="2026-11-01"))
    await scene.hear(scene.answer("education.answered", "duo", EducationAnswered(diplomas=(VWO,))))
    ends = {one.envelope.type: one.envelope.enddate for one in scene.platform.accepted}
    assert ends["nl.wissel.gates.stated.v1"] == "2027-10-12"
    assert ends["nl.wissel.fee.stated.v1"] == "2028-10-30"


@pytest.mark.parametrize("how", ["refused", "withdrawn"])
async def test_a_mandate_that_crosses_the_end_of_the_request_is_not_booked(scene: Scene, how: str) -> None:
    await scene.hear(scene.request(bsn=""))
    await scene.hear(scene.answer("education.answered", "duo", EducationAnswered(diplomas=(VWO,))))
    statement = scene.platform.said("fee.stated")[0].envelope.id
    early, late = (
        MandateConfirmed(statement=statement, result="confirmed", reference=f"M{n}", amount=270_000, parts=1)
        for n in (1, 2)
    )
    await scene.hear(scene.answer("mandate.confirmed", "psp", early))
    if how == "refused":
        refusal = {"process": scene.process, "decision": how, "role": "r", "text": "t", "ground": "education"}
        assert (await scene.staff("POST", "/admissions", refusal)).status == 204
    else:
        await scene.hear(scene.withdrawal())
    await scene.hear(scene.answer("mandate.confirmed", "psp", late))
    account = await scene.finance.account(scene.process)
    assert account is not None
    assert (account.mandate, account.cancelled) == ("", True)
    assert {receipt.outcome for receipt in scene.platform.receipts} == {"accepted"}


@pytest.fixture
async def by_hand(tmp_path: Path) -> AsyncIterator[Scene]:
    """Yield a house whose rule admits nobody: people decide everything."""
    made = Scene(tmp_path, 1)
    assert not made.house.rule.admits
    await made.open()
    yield made
    made.close()


async def test_where_no_rule_admits_a_person_is_asked_as_soon_as_only_the_decision_is_left(by_hand: Scene) -> None:
    await by_hand.hear(by_hand.request(programme="34479"))
    await by_hand.hear(by_hand.answer("identity.answered", "duo", IdentityAnswered(result="verified")))
    assert ("decide", "admission") not in await tasks_of(by_hand)
    await by_hand.hear(by_hand.answer("education.answered", "duo", EducationAnswered(diplomas=(VWO,))))
    assert ("decide", "admission") in await tasks_of(by_hand)
    admitted = {"process": by_hand.process, "decision": "admitted", "role": "registrar"}
    assert (await by_hand.staff("POST", "/admissions", admitted)).status == 204
    await by_hand.work()
    assert ("decide", "admission") not in await tasks_of(by_hand)
    assert by_hand.platform.data("admission.decided")["role"] == "registrar"


async def test_an_admission_bears_no_ground_of_a_refusal(scene: Scene) -> None:
    await scene.hear(scene.request())
    admitted = {"process": scene.process, "decision": "admitted", "role": "registrar", "ground": "conduct"}
    assert await code_of(scene, "/admissions", admitted) == "institution-not-decidable"
