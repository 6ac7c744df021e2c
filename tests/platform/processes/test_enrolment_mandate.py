"""When a mandate stands no more: another fee, a consent taken back, a request that ends. The PSP is told each time."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.platform.processes.enrolment_world import (
    World,
    begun,
    decided,
    kind,
    the_admission,
    the_fee,
    the_refusal,
    the_request,
)

from wissel.messages.enrolment import ConsentGiven
from wissel.messages.payments import MandateConfirmed
from wissel.messages.process import Finish, Send
from wissel.platform.processes.enrolment.words import GATES


def test_another_fee_cancels_the_mandate_of_the_one_before_and_asks_a_new_one() -> None:
    world = begun()
    world.say("fee.stated", the_fee())
    (first,) = world.said("mandate.asked")
    world.say("fee.stated", the_fee(annual=260_000, amount=260_000))
    assert [each.order for each in world.said("mandate.cancelled")] == [first.order]
    world.say("fee.stated", the_fee(basis="exempt", article="WHW 7.48(1)", amount=0, costs=0))
    orders = [each.order for each in world.said("mandate.asked")]
    assert len(set(orders)) == 2
    assert [each.order for each in world.said("mandate.cancelled")] == orders


def test_a_fee_that_is_questioned_leaves_the_mandate_as_it_is() -> None:
    world = begun()
    world.say("fee.stated", the_fee())
    world.say("fee.stated", the_fee(amount=1))
    assert world.said("mandate.cancelled") == []


def paid_by_another() -> World:
    """Everything holds, and somebody else pays whom she has named."""
    payment = msgspec.structs.replace(the_request().payment, payer="third")
    world = begun(payment=payment)
    world.say("admission.decided", the_admission())
    for gate in GATES:
        if gate not in {"payment", "decision"}:
            world.say("gate.decided", decided(gate))
    world.say("consent.given", payer_consent(given=True))
    statement = world.say("fee.stated", the_fee())
    world.say("mandate.confirmed", MandateConfirmed(statement=statement, result="confirmed", amount=1, parts=1))
    assert world.phase == "ready"
    return world


def payer_consent(*, given: bool) -> ConsentGiven:
    return ConsentGiven(scope="payer", given=given, party="Tante Loes", purpose="to pay", until="2027-08-31")


def test_who_takes_back_her_consent_has_no_third_party_pay() -> None:
    """WHW 7.37(3): only with her written consent; GDPR 7(3): as easy to take back as to give."""
    world = paid_by_another()
    world.say("consent.given", payer_consent(given=False))
    assert (world.phase, world.open) == ("admitted", ("payment",))
    assert [each.why for each in world.said("gate.asked")] == ["noconsent"]
    (asked,), (cancelled,) = world.said("mandate.asked"), world.said("mandate.cancelled")
    assert cancelled.order == asked.order
    world.say("consent.given", payer_consent(given=True))
    assert len({each.order for each in world.said("mandate.asked")}) == 2, "another order: the first is cancelled"


def test_a_consent_that_is_taken_back_does_not_undo_what_the_institution_excused() -> None:
    world = paid_by_another()
    world.say("gate.decided", decided("payment", "waived"))
    world.say("consent.given", payer_consent(given=False))
    assert (world.labels()[-1], world.phase) == ("payment: not by this payer", "ready")
    assert len(world.said("mandate.cancelled")) == 1


# The end of a request, and its mandate: WHW 7.37(2), 7.43(1)


def end_by_refusal(world: World) -> None:
    world.say("admission.decided", the_refusal())


def end_by_questioned_refusal(world: World) -> None:
    world.say("admission.decided", the_refusal("lateapplication"))


def end_by_withdrawal(world: World) -> None:
    world.withdraw()


def end_by_the_year(world: World) -> None:
    world.ring("yearend")


ENDINGS = [end_by_refusal, end_by_questioned_refusal, end_by_withdrawal, end_by_the_year]


@pytest.mark.parametrize("end", ENDINGS)
@pytest.mark.parametrize("result", ["", "confirmed"])
def test_a_request_that_ends_without_enrolment_cancels_its_mandate(end: Callable[[World], None], result: Any) -> None:
    world = begun()
    statement = world.say("fee.stated", the_fee())
    if result:
        world.say("mandate.confirmed", MandateConfirmed(statement=statement, result=result, amount=1, parts=1))
    end(world)
    (asked,), (cancelled,) = world.said("mandate.asked"), world.said("mandate.cancelled")
    assert cancelled.order == asked.order
    assert world.finished in {"REJECTED", "WITHDRAWN", "CANCELLED"}
    effects = world.last.effects if world.last else ()
    kinds = [type(each) for each in effects]
    assert kinds.index(Send) < kinds.index(Finish), "it is said before the memory of it dies"
    assert [each.first for each in effects if isinstance(each, Send) and each.type == kind("mandate.cancelled")] == [
        True
    ]


@pytest.mark.parametrize("end", ENDINGS)
def test_where_no_mandate_stands_none_is_cancelled(end: Callable[[World], None]) -> None:
    fresh, refused = begun(), begun()
    statement = refused.say("fee.stated", the_fee())
    refused.say("mandate.confirmed", MandateConfirmed(statement=statement, result="declined", amount=1, parts=1))
    for world in (fresh, refused):
        end(world)
        assert world.said("mandate.cancelled") == []


def test_who_is_enrolled_keeps_her_mandate() -> None:
    world = World()
    world.request()
    world.run()
    assert world.finished == "REGISTERED"
    assert len(world.said("mandate.asked")) == 1
    assert world.said("mandate.cancelled") == []


# Who pays for her: WHW 7.37(3)


def test_for_a_minor_a_third_party_pays_without_her_consent() -> None:
    """WHW 7.37(3) asks written consent of the student who is of age: she is on the day she begins, or is not."""
    for birthdate, asked in (("2008-09-01", 0), ("2008-09-02", 1)):
        request = the_request()
        payment = msgspec.structs.replace(request.payment, payer="third")
        world = begun(payment=payment, person=msgspec.structs.replace(request.person, birthdate=birthdate))
        world.say("fee.stated", the_fee())
        assert len(world.said("mandate.asked")) == asked


def test_a_consent_that_is_over_is_no_consent() -> None:
    """GDPR 7: it is given until a day."""
    world = begun(payment=msgspec.structs.replace(the_request().payment, payer="third"))
    world.say("fee.stated", the_fee())
    world.say("consent.given", msgspec.structs.replace(payer_consent(given=True), until="2026-04-14"))
    assert world.said("mandate.asked") == []
    world.say("consent.given", msgspec.structs.replace(payer_consent(given=True), until="2026-04-15"))
    assert len(world.said("mandate.asked")) == 1


def test_who_is_exempt_is_asked_no_costs_of_instalments() -> None:
    """UB 2.4: costs belong to instalments; WHW 7.48(1): who is exempt has none to pay."""
    world = begun()
    world.say("fee.stated", the_fee(basis="exempt", article="WHW 7.48(1)", amount=0, costs=2400))
    assert [each.rule for each in world.said("statement.questioned")] == ["UB 2.4"]
    assert world.said("mandate.asked") == []
