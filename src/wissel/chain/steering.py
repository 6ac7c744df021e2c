"""What goes wrong for whom: the one table that steers every played application.

The input steers, as in GOV.UK Notify's simulator: a learner whose surname is in `STORIES` meets that story at
every partner; a diploma from a school in `ADVICE` gets that advice. Everybody else: everything fine. Times are
seconds of the played clock.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

DAY_S: Final = 86_400


class Conduct(msgspec.Struct, frozen=True, kw_only=True):
    """How the world treats one learner. The defaults are "everything fine"."""

    says: str
    identity: Literal["verified", "differs", "unknown"] = "verified"
    education: Literal["held", "none", "sitting", "foreign"] = "held"
    residence: Literal["lawful", "no", "unknown"] = "lawful"
    residence_after_s: int = 0
    mandate: Literal["confirmed", "declined", "silent"] = "confirmed"
    mandate_after_s: int = 2
    duo_down_s: int = 0
    login: Literal["ok", "cancelled"] = "ok"
    keeps: Literal["vault", "downloads"] = "vault"  # without a vault of her own: the default provider's, or none at all
    has_vault: bool = True
    comes_back: bool = True  # to her portal, to download


FINE: Final = Conduct(says="Everything is fine: known, qualified, Dutch, and the bank confirms at once.")

STORIES: Final[Mapping[str, Conduct]] = {
    "Everything-Fine": FINE,
    "Everything-Fine-Without-Vault": Conduct(
        says="Everything is fine; she has no vault, and the default provider opens one.", has_vault=False
    ),
    "Everything-Fine-Downloads": Conduct(
        says="Everything is fine; she wants no vault and downloads at her portal.", has_vault=False, keeps="downloads"
    ),
    "Never-Downloads": Conduct(
        says="No vault, and she never comes back to download.",
        has_vault=False,
        keeps="downloads",
        comes_back=False,
    ),
    "Fails-Identity": Conduct(says="The BRP holds another birth date than she gives.", identity="differs"),
    "Without-Diploma": Conduct(says="No diploma stands in the register.", education="none"),
    "Sitting-Exams": Conduct(says="She sits her final exams; the diploma comes in July.", education="sitting"),
    "Foreign-Diploma": Conduct(says="Her diploma is foreign; the register holds none.", education="foreign"),
    "Checked-Residence": Conduct(
        says="Not of the EEA; IND looks for two days and says that her stay is lawful.",
        residence_after_s=2 * DAY_S,
        education="foreign",
    ),
    "Without-Residence": Conduct(
        says="Not of the EEA, and her stay is not lawful.", residence="no", education="foreign"
    ),
    "Pays-Too-Late": Conduct(says="Her bank confirms two hundred days later.", mandate_after_s=200 * DAY_S),
    "Declines-Mandate": Conduct(says="She declines the mandate at her bank.", mandate="declined"),
    "Duo-Down": Conduct(says="DUO is down for ten minutes from the first question about her.", duo_down_s=600),
    "Cancels-Login": Conduct(says="She presses cancel at eduID and DigiD.", login="cancelled"),
}


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What Nuffic says of a diploma, and how long it thinks."""

    result: Literal["equivalent", "lower", "unknown"]
    equivalent: str = ""
    text: str
    after_s: int = 5


ADVICE: Final[Mapping[str, Advice]] = {
    "Test School Lower": Advice(result="lower", equivalent="mavo", text="Comparable to a Dutch mavo diploma."),
    "Test School Unknown": Advice(result="unknown", text="The school could not be found; no advice is possible."),
    "Test School Slow": Advice(
        result="equivalent", equivalent="vwo", text="Comparable to a Dutch vwo diploma.", after_s=20 * DAY_S
    ),
}

EQUIVALENT: Final = Advice(result="equivalent", equivalent="vwo", text="Comparable to a Dutch vwo diploma.")

# How long each application thinks before it answers, times the pace that assembly hands in.
THINKING_S: Final[Mapping[str, float]] = {
    "eduid": 0.05,
    "digid": 0.1,
    "duo": 0.2,
    "ind": 0.3,
    "nuffic": 0.1,
    "psp": 0.1,
    "portal": 0.0,
}


def conduct(name: str) -> Conduct:
    """Return how the world treats who is called `name`: a surname, or a whole name that ends in one."""
    return STORIES.get(name.rsplit(maxsplit=1)[-1], FINE) if name.strip() else FINE


def advice(school: str) -> Advice:
    """Return what Nuffic says of a diploma from `school`."""
    return ADVICE.get(school.strip(), EQUIVALENT)
