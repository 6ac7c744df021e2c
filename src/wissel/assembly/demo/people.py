"""The people at the institution, played: who decides by hand where a rule may only admit."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from wissel.assembly.demo.setup import Scene
from wissel.assembly.desk import ask
from wissel.assembly.settings import ConnectorSettings, read_settings
from wissel.core.clock import Clock
from wissel.messages.grounds import GroundCode

LOOK_S: Final = 0.3


class Refusal(NamedTuple):
    """What a named role decides, and what the learner reads."""

    ground: GroundCode
    role: str
    text: str


REFUSALS: Final[Mapping[str, Refusal]] = {
    "without-diploma": Refusal(
        "education",
        "admission board",
        "No diploma that gives access to this programme stands in DUO's register, and none was shown.",
    ),
    "fails-identity": Refusal(
        "identity",
        "student administration",
        "The date of birth that was given is not the one in the register, and no document was shown.",
    ),
}


async def decide_by_hand(scene: Scene, clock: Clock, house: str, ref: str) -> str:
    """Wait until the learner's request asks for a person, refuse it, and say what was done.

    It is what `wissel connector decide` does, on the same door. Returns an empty text for who is not refused.
    """
    refusal = REFUSALS.get(ref)
    if refusal is None:
        return ""
    settings = read_settings(
        ConnectorSettings, scene.data / "institutions" / house / "profile" / "wissel.toml", environment={}
    )
    while True:
        waiting = await ask(settings, "")
        for task in waiting["tasks"]:
            process = str(task["process"])
            body = {
                "process": process,
                "decision": "refused",
                "role": refusal.role,
                "ground": refusal.ground,
                "text": refusal.text,
            }
            await ask(settings, "/admissions", body)
            return f"wissel connector decide {process} refused --ground {refusal.ground} --role {refusal.role!r}"
        await clock.sleep(LOOK_S)
