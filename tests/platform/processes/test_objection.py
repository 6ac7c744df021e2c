from datetime import UTC, datetime

import msgspec
import pytest

from wissel.messages.process import Event, Finish, Pass
from wissel.platform.processes.errors import ProcessError
from wissel.platform.processes.objection import Objection

AT = datetime(2026, 7, 1, tzinfo=UTC)
NAME = "nl.wissel.objection.received.v1"
RECEIVED = Event(kind="message", name=NAME, id="m", at=AT)


@pytest.mark.parametrize(
    ("end", "outcome"), [("accepted", "RECEIVED"), ("rejected", "NOTRECEIVED"), ("undelivered", "NOTRECEIVED")]
)
def test_an_objection_is_passed_on_and_ends_with_the_facilitys_receipt(end: str, outcome: str) -> None:
    first = Objection().decide("p", None, RECEIVED, {})
    assert first.effects == (Pass(),)
    ended = Event(kind="outcome", name=f"{NAME}/{end}", id="m", at=AT)
    last = Objection().decide("p", msgspec.json.encode(first.state), ended, {})
    assert last.effects == (Finish(outcome=outcome),)


def test_an_event_of_another_story_is_refused_with_a_sentence() -> None:
    with pytest.raises(ProcessError, match="does not know"):
        Objection().decide("p", None, Event(kind="timer", name="tea", id="t", at=AT), {})
