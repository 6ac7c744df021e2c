"""The proof of enrolment (bewijs van inschrijving): programme, form, study year and rights, as data and as a PDF."""

import base64
from functools import lru_cache
from importlib.resources import files
from typing import Final

import msgspec
import typst

from wissel.core.academic import study_year
from wissel.institution.connector.words import Case
from wissel.institution.errors import NotDecidable
from wissel.institution.sis.words import Registration
from wissel.institution.words import House
from wissel.messages.enrolment import Document, EnrolmentConfirmed
from wissel.messages.fields import Form, Level
from wissel.messages.jose import hash64

PDF_BYTES_MAX: Final = 290_000  # so that its base64 fits in the message

# What enrolment gives in higher education: WHW 7.34.
RIGHTS: Final = (
    "deelname aan het onderwijs / to take part in the education (WHW 7.34)",
    "het afleggen van tentamens en examens / to sit tests and examinations (WHW 7.34)",
    "toegang tot gebouwen en verzamelingen / access to buildings and collections (WHW 7.34)",
    "gebruik van voorzieningen voor studenten / use of facilities for students (WHW 7.34)",
    "studiebegeleiding / study guidance (WHW 7.34)",
)
_FORMS: Final[dict[Form, str]] = {"fulltime": "voltijd", "parttime": "deeltijd", "dual": "duaal"}
_LEVELS: Final[dict[Level, str]] = {"associate": "associate degree", "bachelor": "bachelor", "master": "master"}
_NOTE: Final = (
    "Dit bewijs hoort bij een ondertekend bericht. Het afschrift daarvan in uw datakluis toont aan dat het echt is: "
    "wissel verify. / This proof is part of a signed message; the copy of it in your vault shows that it is genuine."
)


def confirm(house: House, case: Case, registration: Registration) -> EnrolmentConfirmed:
    """Return the proof of enrolment with its PDF inside. Raises NotDecidable when the programme is not on the card."""
    programme = house.settings.programme(case.request.programme, case.request.form)
    if programme is None:
        raise NotDecidable("The programme of this request is not among the institution's settings.")
    person = case.request.person
    facts = EnrolmentConfirmed(
        studentnumber=registration.student,
        name=" ".join(part for part in (person.givennames, person.prefix, person.surname) if part)[:200],
        birthdate=person.birthdate,
        institution=house.name,
        brin=house.settings.brin,
        programme=programme.code,
        title=programme.name,
        form=programme.form,
        level=programme.level,
        sector=programme.sector,
        studyyear=case.request.studyyear,
        start=case.request.start,
        end=study_year(case.request.studyyear).last.isoformat(),
        rights=RIGHTS,
    )
    pdf = render(facts)
    document = Document(mediatype="application/pdf", sha256=hash64(pdf), base64=base64.b64encode(pdf).decode())
    return msgspec.structs.replace(facts, document=document)


def render(facts: EnrolmentConfirmed) -> bytes:
    """Return the PDF. The same facts give the same bytes: no date of making, no fonts of this machine."""
    lines = [
        ("Naam (name)", facts.name),
        ("Geboortedatum (date of birth)", facts.birthdate),
        ("Studentnummer (student number)", facts.studentnumber),
        ("Opleiding (programme)", f"{facts.title} ({facts.programme})"),
        ("Niveau (level)", f"{_LEVELS[facts.level]}, {facts.sector}"),
        ("Vorm (form)", _FORMS[facts.form]),
        ("Studiejaar (study year)", facts.studyyear),
        ("Ingeschreven (enrolled)", f"{facts.start} - {facts.end}"),
    ]
    known = {"institution": facts.institution, "brin": facts.brin, "studyyear": facts.studyyear}
    inputs = msgspec.json.encode({**known, "lines": lines, "rights": facts.rights, "note": _NOTE}).decode()
    pdf = typst.compile(_template(), format="pdf", sys_inputs={"facts": inputs}, ignore_system_fonts=True)
    if len(pdf) > PDF_BYTES_MAX:
        raise NotDecidable("The proof of enrolment could not be made as one PDF that fits in a message.")
    return pdf


@lru_cache(maxsize=1)
def _template() -> bytes:
    return files("wissel.institution.connector").joinpath("proof.typ").read_bytes()
