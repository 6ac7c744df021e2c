"""Three fictitious institutions: two hogescholen and one university. Names, codes and amounts are invented.

No institution has BRIN 99XA, 99XB or 99XC; no amount below is anybody's fee, and each statement of it says so.
"""

from typing import Final

from wissel.institution.words import Fees, House, Objections, Rule
from wissel.messages.fields import Form, Level, OpenGate, Sector
from wissel.messages.programmes import GateSetting, InstitutionSettings, Programme

SUPPLIER: Final = "Voorbeeld SIS B.V. (fictitious)"
SOURCE: Final = "fictitious: invented for this sample institution"
HBO_ADMITS: Final = ("havo", "vwo", "mbo4")
WO_ADMITS: Final = ("vwo", "propedeusehbo")
MASTER_ADMITS: Final = ("bachelorwo",)

_ALWAYS_CHECK: Final[dict[OpenGate, GateSetting]] = {"studychoice": "always", "requirements": "never"}
_NO_EXTRAS: Final[dict[OpenGate, GateSetting]] = {"requirements": "never"}
_AUDITION: Final[dict[OpenGate, GateSetting]] = {"requirements": "always", "studychoice": "never"}


def oin(brin: str) -> str:
    """Return an invented OIN of twenty signs around a BRIN: it is in no register."""
    return f"00000007000{brin}00000"


def urn(brin: str) -> str:
    """Return the participant URN of a sample institution's connector."""
    return f"urn:nld:oin:{oin(brin)}:systeem:connector"


def sample_houses() -> tuple[House, ...]:
    """Return the three, in the order in which the demo shows them."""
    return _noord(), _zee(), _land()


def _noord() -> House:
    """Return a hogeschool with a mandatory study-choice check, which its own system confirms."""
    programmes = (
        _programme("34401", "Verpleegkunde", "bachelor", "hbo", HBO_ADMITS, gates=_ALWAYS_CHECK),
        _programme("34401", "Verpleegkunde", "bachelor", "hbo", HBO_ADMITS, form="parttime", gates=_NO_EXTRAS),
        _programme("80059", "Ad Softwareontwikkeling", "associate", "hbo", HBO_ADMITS, gates=_NO_EXTRAS),
    )
    rule = Rule(admits=True, meets={"studychoice": "WHW 7.31b: took part in the study-choice check"})
    return _house("noord", "99XA", "Hogeschool Noorderlicht (fictitious)", programmes, rule)


def _zee() -> House:
    """Return a hogeschool that shares a supplier's connector and decides everything by hand."""
    programmes = (
        _programme("34116", "Docent Muziek", "bachelor", "hbo", HBO_ADMITS, gates=_AUDITION),
        _programme("34479", "Informatica", "bachelor", "hbo", HBO_ADMITS, gates=_NO_EXTRAS),
    )
    return _house("zee", "99XB", "Hogeschool Zeewind (fictitious)", programmes, Rule(), mandate="2026-1")


def _land() -> House:
    """Return a university that admits by the rule to its bachelor, and by hand to its master."""
    programmes = (
        _programme("56551", "Rechtsgeleerdheid", "bachelor", "wo", WO_ADMITS, gates=_NO_EXTRAS),
        _programme("66584", "Data Science", "master", "wo", MASTER_ADMITS, gates=_NO_EXTRAS, language="eng"),
    )
    rule = Rule(admits=True)
    return _house("land", "99XC", "Universiteit Middenland (fictitious)", programmes, rule, mandate="2026-2")


def _house(
    short: str, brin: str, name: str, programmes: tuple[Programme, ...], rule: Rule, *, mandate: str = ""
) -> House:
    return House(
        urn=urn(brin),
        short=short,
        name=name,
        settings=InstitutionSettings(brin=brin, programmes=programmes),
        fees=(_fees("2026-27"), _fees("2027-28")),
        objections=Objections(
            where=f"https://www.{short}.example/loket",
            how="Schrijf binnen zes weken aan het loket. / Write to the desk within six weeks.",
        ),
        rule=rule,
        supplier=SUPPLIER if mandate else "",
        mandate=mandate,
    )


def _fees(studyyear: str) -> Fees:
    return Fees(
        studyyear=studyyear,
        statutory=270_000,
        partial=202_500,
        institutional=1_150_000,
        source=SOURCE,
        fictitious=True,
    )


def _programme(
    code: str,
    name: str,
    level: Level,
    sector: Sector,
    admits: tuple[str, ...],
    *,
    form: Form = "fulltime",
    gates: dict[OpenGate, GateSetting],
    language: str = "nld",
) -> Programme:
    return Programme(
        code=code,
        name=name,
        form=form,
        level=level,
        sector=sector,
        language=language,
        gates=gates,
        admits=admits,
        starts=("09-01", "02-01"),
    )
