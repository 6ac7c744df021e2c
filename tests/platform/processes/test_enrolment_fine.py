import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.platform.processes.enrolment_world import FINE, World, kind, the_admission, the_proof, the_report

from wissel.messages.enrolment import EnrolmentReady
from wissel.messages.process import Status
from wissel.platform.processes.enrolment.table import TABLE


def test_everything_fine_ends_with_the_proof_of_enrolment() -> None:
    world = World()
    world.request()
    world.run()
    assert world.finished == "REGISTERED"
    assert world.timers == {}
    assert len(world.said("enrolment.confirmed")) == 1
    assert len(world.said("enrolment.reported")) == 1


def test_the_request_is_passed_on_and_duo_is_asked_at_once() -> None:
    world = World()
    world.request()
    assert {each.type for each in world.sent} == {
        kind("enrolment.requested"),
        kind("identity.asked"),
        kind("education.asked"),
        kind("eduid.asked"),
    }
    assert world.trail == [(kind("enrolment.requested"), "in time, number", "collecting")]


def test_ready_names_every_gate_with_whose_word_it_rests_on() -> None:
    world = World()
    world.request()
    world.run()
    (ready,) = world.said("enrolment.ready")
    assert isinstance(ready, EnrolmentReady)
    who = {gate.gate: (gate.state, gate.who) for gate in ready.gates}
    assert who["identity"] == ("met", "duo")
    assert who["education"] == ("met", "duo")
    assert who["payment"] == ("met", "psp")
    assert who["decision"] == ("met", "institution")
    assert who["residence"] == ("notneeded", "institution")
    assert len(who) == 8


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_order_of_a_fine_story_ends_registered(chance: random.Random) -> None:
    world = World()
    world.request()
    world.run(chance.randrange)
    assert world.finished == "REGISTERED"
    assert world.open == ()
    assert len(world.said("enrolment.ready")) == 1
    assert len(world.said("mandate.asked")) == 1


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_an_institution_that_enrols_too_early_is_asked_why_and_still_ends_registered(
    chance: random.Random,
) -> None:
    early = [("admission.decided", the_admission()), ("enrolment.confirmed", the_proof())]
    early.append(("enrolment.reported", the_report()))
    world = World({**FINE, "identity.answered": lambda _w, _s: early, "enrolment.ready": lambda _w, _s: []})
    world.request()
    world.run(chance.randrange)
    assert world.finished == "REGISTERED"
    ahead = world.labels().count("ahead of gates")
    assert len(world.said("statement.questioned")) == ahead


def test_the_labels_alone_give_the_same_phases_again() -> None:
    for seed in range(50):
        chance = random.Random(seed)  # noqa: S311 - an order that can be repeated, no secret
        world = World()
        world.request()
        world.run(chance.randrange)
        phase = "new"
        for event, label, after in world.trail:
            phase = TABLE[phase, event, label].to
            assert phase == after


def test_admitted_is_not_enrolled() -> None:
    world = World({**FINE, "mandate.asked": lambda _w, _s: []})
    world.request()
    world.run()
    assert world.phase == "admitted"
    assert world.open == ("payment",)
    assert world.said("enrolment.ready") == []


def test_the_status_goes_from_request_to_registered_with_dimensions_and_no_person() -> None:
    world = World()
    world.request()
    first = [effect for effect in (world.last.effects if world.last else ()) if isinstance(effect, Status)]
    world.run()
    last = [effect for effect in (world.last.effects if world.last else ()) if isinstance(effect, Status)]
    assert [(each.old, each.new) for each in itertools.chain(first, last)] == [
        ("", "REQREGISTRATION"),
        ("REQREGISTRATION", "REGISTERED"),
    ]
    assert set(last[0].dimensions) == {"institution", "programme", "form", "level", "studyyear", "intake"}
