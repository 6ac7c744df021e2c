from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from tests.platform.processes.enrolment_world import (
    FINE,
    HIGH,
    PARTIES,
    SETTINGS,
    SILENT,
    World,
    admitted_but_for,
    begun,
    decided,
    havo,
    kind,
    the_admission,
    the_fee,
    the_gates,
    the_proof,
    the_refusal,
    the_report,
    the_request,
)

from wissel.messages.enrolment import ConsentGiven, StatementQuestioned
from wissel.messages.fields import Objection, Payload
from wissel.messages.identity import EducationAnswered, IdentityAnswered, ResidenceAnswered, ResidenceAsked
from wissel.messages.payments import MandateConfirmed, Reduction
from wissel.platform.processes.errors import ProcessError

# Applying: WHW 7.31a, RATHO 4.1


def test_until_midnight_of_1_may_in_amsterdam_one_applies_in_time() -> None:
    for at, label in (
        (datetime(2026, 5, 1, 21, 59, 59, tzinfo=UTC), "in time, number"),
        (datetime(2026, 5, 1, 22, 0, tzinfo=UTC), "late, number"),
    ):
        world = World(SILENT)
        world.now = at
        world.request()
        assert world.labels() == [label]


def test_late_refuses_nothing() -> None:
    world = World()
    world.now = datetime(2026, 8, 20, 12, 0, tzinfo=UTC)
    world.request()
    world.run()
    assert world.finished == "REGISTERED"


@pytest.mark.parametrize(
    ("bsn", "acr"), [("", HIGH), ("999990019", ""), ("999990019", "https://refeds.org/profile/mfa")]
)
def test_without_a_proven_number_duo_is_not_asked_and_the_institution_is(bsn: str, acr: str) -> None:
    world = World(SILENT)
    world.request(bsn=bsn, acr=acr)
    assert world.said("identity.asked") == []
    assert world.said("education.asked") == []
    assert [(each.gate, each.why) for each in world.said("gate.asked")] == [
        ("identity", "unproven"),
        ("education", "unproven"),
    ]


def test_the_national_number_is_in_no_state_and_no_label() -> None:
    world = World()
    world.request()
    while world.pool and not world.finished:
        assert world.state is not None
        assert b"999990019" not in world.state
        assert b"Sluiskade" not in world.state
        world.pool.pop(0)()
    assert "999990019" not in repr(world.trail)


def test_without_duo_as_a_participant_the_process_is_set_aside_with_a_sentence() -> None:
    world = World()
    world.settings = {**SETTINGS, "parties": {}}
    with pytest.raises(ProcessError, match="'duo'"):
        world.request()


def test_a_programme_that_the_card_does_not_name_is_judged_by_the_institution() -> None:
    world = begun(programme="99999")
    world.say("education.answered", havo())
    assert world.labels()[-1] == "education: left"


def test_a_gate_that_the_card_never_sets_is_not_open() -> None:
    world = World(SILENT)
    card = {**SETTINGS["institution"]["programmes"][0], "gates": {"language": "never", "residence": "asked"}}
    world.settings = {**SETTINGS, "institution": {"brin": "01XX", "programmes": [card]}}
    world.request()
    assert "language" not in world.open
    assert "residence" in world.open


# Gates: a partner's answer opens a way and never closes one


def test_a_person_who_differs_from_the_brp_is_put_before_the_institution() -> None:
    world = begun()
    world.say("identity.answered", IdentityAnswered(result="differs", fields=("birthdate",)))
    assert world.labels()[-1] == "identity: left"
    assert [(each.gate, each.why) for each in world.said("gate.asked")] == [("identity", "differs")]
    assert world.finished == ""


def test_what_the_institution_decided_no_answer_undoes() -> None:
    world = begun()
    world.say("gate.decided", decided("education", "notmet"))
    world.say("education.answered", havo())
    assert world.labels()[-1] == "settled"
    assert "education" in world.open
    world.say("gate.decided", decided("education"))
    world.say("education.answered", EducationAnswered())
    assert "education" not in world.open


def test_ind_can_make_residence_hold_and_only_the_institution_can_say_it_does_not() -> None:
    world = admitted_but_for("residence")
    asked = ResidenceAsked(givennames="A", surname="B", birthdate="2000-01-01", nationality="US", day="2026-09-01")
    world.say("residence.asked", asked)
    world.say("residence.answered", ResidenceAnswered(result="no"))
    assert (world.labels()[-1], world.phase) == ("residence: left", "admitted")
    world.say("residence.asked", asked)
    world.say("residence.answered", ResidenceAnswered(result="lawful"))
    assert (world.labels()[-1], world.phase) == ("residence: holds, all hold", "ready")


def test_when_duo_does_not_answer_the_institution_is_asked() -> None:
    world = begun()
    world.outcome("education.asked", "undelivered")
    assert [(each.gate, each.why) for each in world.said("gate.asked")] == [("education", "noanswer")]


def test_a_reopened_gate_takes_the_request_back_to_admitted() -> None:
    world = admitted_but_for("language")
    world.say("gate.decided", decided("language"))
    assert world.phase == "ready"
    world.say("gate.decided", decided("language", "notmet"))
    assert (world.phase, world.open) == ("admitted", ("language",))
    world.say("gate.decided", decided("language", "waived"))
    assert world.phase == "ready"
    assert len(world.said("enrolment.ready")) == 2


def test_conditional_admission_opens_the_gates_that_it_names() -> None:
    world = begun()
    world.say("gates.stated", the_gates())
    world.say("admission.decided", the_admission(decision="conditional", conditions=("language",)))
    assert world.phase == "admitted"
    assert "language" in world.open


# Payment: WHW 7.37, 7.43-7.48


def test_the_mandate_is_asked_for_the_stated_amount_with_costs_in_five_instalments() -> None:
    world = begun()
    statement = world.say("fee.stated", the_fee())
    (asked,) = world.said("mandate.asked")
    assert (asked.statement, asked.amount, asked.parts) == (statement, 252_400, 5)


def test_who_pays_at_once_pays_no_costs() -> None:
    payment = msgspec.structs.replace(the_request().payment, way="once")
    world = begun(payment=payment)
    world.say("fee.stated", the_fee())
    (asked,) = world.said("mandate.asked")
    assert (asked.amount, asked.parts) == (250_000, 1)


def test_a_fee_that_nobody_may_lower_is_questioned_and_no_mandate_is_asked() -> None:
    world = begun()
    world.say("fee.stated", the_fee(amount=200_000))
    assert world.said("mandate.asked") == []
    (asked,) = world.said("statement.questioned")
    assert isinstance(asked, StatementQuestioned)
    assert asked.rule == "WHW 7.48(5)"
    assert len(world.said("fee.stated")) == 1, "it reaches the learner all the same"


def test_a_lawful_reduction_is_not_questioned() -> None:
    world = begun()
    paid = Reduction(ground="mbofee", amount=50_000, evidence="receipt of the mbo school")
    world.say("fee.stated", the_fee(amount=200_000, reductions=(paid,)))
    assert world.labels()[-1] == "payment: asked"


def test_who_is_exempt_needs_no_mandate() -> None:
    world = admitted_but_for("payment")
    world.say("fee.stated", the_fee(basis="exempt", article="WHW 7.48(1)", amount=0, costs=0))
    assert world.labels()[-1] == "payment: holds, all hold"


def test_a_third_party_pays_only_when_she_has_named_it() -> None:
    payment = msgspec.structs.replace(the_request().payment, payer="third")
    world = begun(payment=payment)
    world.say("fee.stated", the_fee())
    assert world.said("mandate.asked") == []
    assert [each.gate for each in world.said("reminder.sent")] == ["payment"]
    world.say(
        "consent.given",
        ConsentGiven(scope="payer", given=True, party="Tante Loes", purpose="to pay", until="2027-08-31"),
    )
    assert len(world.said("mandate.asked")) == 1


def test_a_declined_mandate_leaves_the_gate_open_and_asks_the_institution() -> None:
    world = admitted_but_for("payment")
    statement = world.say("fee.stated", the_fee())
    world.say("mandate.confirmed", MandateConfirmed(statement=statement, result="declined", amount=1, parts=1))
    assert (world.phase, world.open) == ("admitted", ("payment",))
    assert [each.why for each in world.said("gate.asked")] == ["declined"]


def test_a_mandate_for_a_fee_that_was_replaced_counts_for_nothing() -> None:
    world = admitted_but_for("payment")
    old = world.say("fee.stated", the_fee())
    new = world.say("fee.stated", the_fee(annual=260_000, amount=260_000))
    world.say("mandate.confirmed", MandateConfirmed(statement=old, result="confirmed", amount=1, parts=1))
    assert (world.labels()[-1], world.phase) == ("stale", "admitted")
    world.say("mandate.confirmed", MandateConfirmed(statement=new, result="confirmed", amount=1, parts=1))
    assert world.phase == "ready"


def test_a_fee_that_the_institution_corrects_from_nothing_to_something_needs_a_mandate() -> None:
    world = admitted_but_for("payment")
    world.say("fee.stated", the_fee(basis="exempt", article="WHW 7.48(1)", amount=0, costs=0))
    world.say("fee.stated", the_fee())
    assert (world.phase, world.open) == ("admitted", ("payment",))
    assert len(world.said("mandate.asked")) == 1


# Refusal: WHW 7.37, 7.59a


def test_a_refusal_reaches_the_learner_and_ends_rejected() -> None:
    world = World({**FINE, "education.answered": lambda _w, _s: [("admission.decided", the_refusal())]})
    world.request()
    world.run()
    assert world.finished == "REJECTED"
    assert world.labels()[-1] == "refused"
    assert world.timers == {}
    assert world.said("statement.questioned") == []


def test_a_refusal_for_lateness_of_who_was_in_time_stands_but_is_questioned() -> None:
    world = begun()
    world.say("admission.decided", the_refusal("lateapplication"))
    assert (world.labels()[-1], world.finished) == ("refused, questioned", "REJECTED")
    assert [each.rule for each in world.said("statement.questioned")] == ["WHW 7.31d"]


def test_a_refusal_that_leaves_less_than_six_weeks_is_questioned() -> None:
    world = begun()
    short = Objection(until="2026-05-01", where="https://school.example/bezwaar", how="By letter.")
    world.say("admission.decided", msgspec.structs.replace(the_refusal(), objection=short))
    assert [each.rule for each in world.said("statement.questioned")] == ["WHW 7.59a"]


def test_a_stranger_decides_nothing_and_is_not_passed_on() -> None:
    world = begun()
    before = len(world.sent)
    world.say("admission.decided", the_refusal(), source="urn:nld:oin:00000007000002XX0000:systeem:sis")
    world.say("gate.decided", decided("identity"), recipient="urn:wissel:learner:somebody-else")
    world.say("education.answered", havo(), source=PARTIES["ind"])
    assert world.labels()[-3:] == ["not a party"] * 3
    assert (world.finished, len(world.sent)) == ("", before)
    assert "identity" in world.open


# Withdrawal


@pytest.mark.parametrize("words_before", range(6))
def test_the_learner_may_withdraw_at_any_moment_before_she_is_enrolled(words_before: int) -> None:
    world = begun()
    words: list[tuple[str, Payload]] = [
        ("gates.stated", the_gates()),
        ("admission.decided", the_admission()),
        *(("gate.decided", decided(gate)) for gate in ("identity", "education", "payment")),
    ]
    for word, data in words[:words_before]:
        world.say(word, data)
    world.withdraw()
    assert world.finished == "WITHDRAWN"
    assert len(world.said("enrolment.withdrawn")) == 1
    assert world.timers == {}


def test_after_the_proof_a_withdrawal_is_passed_on_and_the_enrolment_stands() -> None:
    world = admitted_but_for("payment")
    world.say("gate.decided", decided("payment"))
    world.say("enrolment.confirmed", the_proof())
    world.withdraw()
    assert (world.labels()[-1], world.finished) == ("after confirmation", "")
    world.say("enrolment.reported", the_report())
    world.outcome("enrolment.reported")
    world.outcome("enrolment.confirmed")
    assert world.finished == "REGISTERED"


# The end: proof and register


def ready() -> World:
    world = admitted_but_for("payment")
    world.say("gate.decided", decided("payment"))
    assert world.phase == "ready"
    return world


def test_a_report_that_duo_rejects_must_come_again_before_she_is_registered() -> None:
    world = ready()
    world.say("enrolment.confirmed", the_proof())
    world.say("enrolment.reported", the_report())
    world.outcome("enrolment.confirmed")
    world.outcome("enrolment.reported", "rejected")
    assert world.finished == ""
    world.say("enrolment.reported", the_report())
    world.outcome("enrolment.reported")
    assert world.finished == "REGISTERED"


def test_a_proof_that_reaches_no_vault_is_still_a_proof() -> None:
    world = ready()
    world.say("enrolment.confirmed", the_proof())
    world.say("enrolment.reported", the_report())
    world.outcome("enrolment.reported")
    world.outcome("enrolment.confirmed", "undelivered")
    assert world.finished == "REGISTERED"


def test_an_institution_that_forgets_to_enrol_is_asked() -> None:
    world = ready()
    world.ring("deadline/enrolment")
    assert [each.gate for each in world.said("deadline.passed")] == ["enrolment"]
    assert "deadline/enrolment" in world.timers


# Time


def test_each_open_gate_has_a_deadline_and_a_gate_that_holds_has_none() -> None:
    world = begun()
    assert {f"deadline/{gate}" for gate in world.open} | {"yearend"} == set(world.timers)
    world.say("gate.decided", decided("language"))
    assert "deadline/language" not in world.timers


def test_duo_gets_two_days_and_the_rest_until_31_august() -> None:
    world = begun()
    assert world.timers["deadline/identity"] == datetime(2026, 4, 17, 22, 0, tzinfo=UTC)
    assert world.timers["deadline/decision"] == datetime(2026, 8, 31, 22, 0, tzinfo=UTC)
    assert world.timers["yearend"] == datetime(2027, 8, 31, 22, 0, tzinfo=UTC)


def test_a_later_intake_is_due_the_day_before_it() -> None:
    world = begun(start="2027-02-01")
    assert world.timers["deadline/decision"] == datetime(2027, 1, 31, 23, 0, tzinfo=UTC)


def test_a_day_that_the_institution_states_counts() -> None:
    world = begun()
    stated = the_gates("language")
    gate = msgspec.structs.replace(stated.gates[0], until="2026-07-01")
    world.say("gates.stated", msgspec.structs.replace(stated, gates=(gate,)))
    assert world.timers["deadline/language"] == datetime(2026, 7, 1, 22, 0, tzinfo=UTC)


def test_a_deadline_asks_the_institution_again_and_again_and_nothing_lapses() -> None:
    world = begun()
    for times in range(1, 4):
        world.ring("deadline/identity")
        assert len(world.said("deadline.passed")) == times
    assert (world.phase, world.finished) == ("collecting", "")
    assert world.said("deadline.passed")[0].due == "2026-04-17"


def test_the_learner_is_reminded_of_an_open_mandate_until_it_is_there() -> None:
    world = begun()
    statement = world.say("fee.stated", the_fee())
    world.ring("reminder/payment")
    world.ring("reminder/payment")
    assert len(world.said("reminder.sent")) == 2
    world.say("mandate.confirmed", MandateConfirmed(statement=statement, result="confirmed", amount=1, parts=1))
    assert "reminder/payment" not in world.timers


def test_a_timer_that_goes_off_after_its_gate_held_does_nothing() -> None:
    world = begun()
    world.say("gate.decided", decided("identity"))
    world.ring("deadline/identity")
    assert world.labels()[-1] == "settled"
    assert world.said("deadline.passed") == []


def test_at_the_end_of_the_study_year_an_open_request_is_closed() -> None:
    world = begun()
    world.ring("yearend")
    assert world.finished == "CANCELLED"


def test_at_the_end_of_the_study_year_who_is_enrolled_is_registered() -> None:
    world = ready()
    world.say("enrolment.confirmed", the_proof())
    world.ring("yearend")
    assert world.finished == "REGISTERED"


def test_a_request_that_never_reaches_the_institution_is_closed() -> None:
    world = begun()
    world.outcome("enrolment.requested", "undelivered")
    assert world.finished == "CANCELLED"


def test_a_year_of_timers_alone_comes_to_an_end() -> None:
    world = begun()
    while not world.finished:
        name = min(world.timers, key=lambda each: (world.timers[each], each))
        world.ring(name)
        assert all(due >= world.now for due in world.timers.values())
        assert world.now < datetime(2027, 9, 2, tzinfo=UTC) + timedelta(days=1)
    assert world.finished == "CANCELLED"


def test_what_comes_after_the_end_is_passed_on_and_changes_nothing() -> None:
    world = begun()
    world.withdraw()
    world.say("admission.decided", the_admission())
    assert world.trail[-1] == (kind("admission.decided"), "late", "withdrawn")
    assert len(world.said("admission.decided")) == 1
