"""Scans of an identity document end a day after the identity gate holds, and at no other word."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.platform.processes.enrolment_world import World, the_gates

from wissel.messages.enrolment import GateDecided, GatesStated, StatedGate
from wissel.messages.fields import Objection, Payload
from wissel.messages.files import FileRef
from wissel.messages.identity import IdentityAnswered
from wissel.messages.process import EndScans

SCAN = FileRef(
    kind="identityscan",
    name="Paspoort",
    mediatype="image/jpeg",
    size=9,
    sha256="A" * 43,
    sealed="B" * 43,
    copy="C" * 43,
)
MET = GateDecided(gate="identity", decision="met", ground="RATHO 4.1", role="student administration")
NOT_MET = GateDecided(
    gate="identity",
    decision="notmet",
    ground="RATHO 4.1",
    role="student administration",
    text="The document is of somebody else.",
    objection=Objection(until="2026-06-10", where="https://school.example/bezwaar", how="By letter."),
)


def ends(world: World) -> list[EndScans]:
    assert world.last is not None
    return [effect for effect in world.last.effects if isinstance(effect, EndScans)]


def begun(**more: Any) -> World:
    world = World(answers={})
    world.request(files=(SCAN,), **more)
    assert ends(world) == []
    return world


@pytest.mark.parametrize(
    ("short", "word"),
    [
        ("identity.answered", IdentityAnswered(result="verified")),
        ("gate.decided", MET),
        ("gate.decided", msgspec.structs.replace(MET, decision="waived")),
        ("gates.stated", GatesStated(gates=(StatedGate(gate="identity", state="notneeded", ground="g"),))),
    ],
)
def test_whoever_settles_who_she_is_ends_her_scans_a_day_later(short: str, word: Payload) -> None:
    world = begun()
    world.now += timedelta(hours=5)
    world.say(short, word)
    assert ends(world) == [EndScans(world.now + timedelta(hours=24))]
    world.now += timedelta(hours=1)
    world.say("gate.decided", MET)
    assert ends(world) == [], "once is enough: a later word moves no end"


def test_as_long_as_nobody_knows_who_she_is_they_stay() -> None:
    world = begun()
    world.say("identity.answered", IdentityAnswered(result="differs"))
    assert ends(world) == []
    world.say("gate.decided", NOT_MET)
    assert ends(world) == []
    world.say("gates.stated", the_gates("language"))
    assert ends(world) == []
    world.say("gate.decided", MET)
    assert len(ends(world)) == 1


def test_where_no_identity_is_asked_for_a_scan_ends_a_day_after_it_came() -> None:
    world = World(answers={})
    programme = {**world.settings["institution"]["programmes"][0], "gates": {"identity": "never"}}
    world.settings = {**world.settings, "institution": {"brin": "01XX", "programmes": [programme]}}
    world.request(files=(SCAN,))
    assert ends(world) == [EndScans(world.now + timedelta(hours=24))]
