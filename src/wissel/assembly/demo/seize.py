"""The seizure: a visitor gets the platform's disk, key store and last night's back-up included, and tries all."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from wissel.assembly.demo.setup import Scene
from wissel.chain.people import People
from wissel.infra.sql.sqlite import back_up
from wissel.platform.forgetting.thief.actions import rob
from wissel.platform.forgetting.thief.words import Loot

LOOT: Final = "seized"


class Seized(NamedTuple):
    """What was taken while the enrolment ran, and what is taken after it."""

    control: Loot
    loot: Loot


def take_backup(scene: Scene) -> Path:
    """Make last night's back-up of the platform's database while the enrolment runs."""
    place = scene.data / LOOT
    place.mkdir(exist_ok=True)
    target = place / "last-night.sqlite"
    back_up(scene.data / "platform" / "wissel.sqlite", target)
    return target


def rob_while_running(scene: Scene, markers: Sequence[str]) -> Loot:
    """Play the same thief on the disk as it is while the enrolment runs: the control, which must be able to read."""
    place = scene.data / LOOT / "control"
    shutil.copytree(scene.data / "platform" / "keys", place / "keys")
    back_up(scene.data / "platform" / "wissel.sqlite", place / "wissel.sqlite")
    loot = rob(place, markers=markers)
    shutil.rmtree(place)
    return loot


def rob_afterwards(scene: Scene, backup: Path, markers: Sequence[str]) -> Loot:
    """Take the whole disk of the platform, and the back-up, and try everything."""
    place = scene.data / LOOT / "platform"
    shutil.copytree(scene.data / "platform", place)
    return rob(place, [backup], markers=markers)


def marks_of(ref: str) -> tuple[str, ...]:
    """Return texts that belong to the learner: name, address, numbers, e-mail, account and motivation."""
    person = People().get(ref)
    stated = person.profile()
    who = stated["person"]
    found = [
        who["surname"],
        who["address"]["street"],
        who["address"]["postcode"],
        who["email"],
        person.bsn,
        str(stated.get("iban", "")),
        str(stated.get("motivation", "")),
    ]
    return tuple(text for text in found if text)
