"""What goes over the wire of the remote-creation calls. Names are eduID's own."""

from typing import Annotated, Final, Literal

import msgspec

Verification = Literal["Geverifieerd", "Verifai", "Decentraal", "Ongeverifieerd"]
Filled = Annotated[str, msgspec.Meta(pattern=r"\S", max_length=255)]
Free = Annotated[str, msgspec.Meta(max_length=255)]
BATCH_MAX: Final = 1000

NAMES: Final = "https://eduid.nl/trust/validate-names"
NAMES_EXTERNAL: Final = "https://eduid.nl/trust/validate-names-external"
LINKED: Final = "https://eduid.nl/trust/linked-institution"
IAP_MEDIUM: Final = "https://refeds.org/assurance/IAP/medium"
IAP_HIGH: Final = "https://refeds.org/assurance/IAP/high"
MFA: Final = "https://refeds.org/profile/mfa"
PASSWORD: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # noqa: S105 (a name)


class NewEduId(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An account to make. Date of birth and first name are needed unless `verification` is Ongeverifieerd."""

    email: Filled
    chosen_name: Filled
    first_name: Free | None = None
    last_name_prefix: Free | None = None
    last_name: Filled
    date_of_birth: Free | None = None
    identifier: Filled
    verification: Verification
    brin_codes: Annotated[list[Free], msgspec.Meta(max_length=100)] | None = None


class EduId(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An account that was made: what was sent, and its eduID at this caller."""

    email: Filled
    chosen_name: Filled
    first_name: Free | None = None
    last_name_prefix: Free | None = None
    last_name: Filled
    date_of_birth: Free | None = None
    identifier: Filled
    verification: Verification
    brin_codes: Annotated[list[Free], msgspec.Meta(max_length=100)] | None = None
    edu_id_value: str = msgspec.field(name="eduIDValue")


class Exists(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """There is such an account. `eduIDValue` is its eduID at this caller."""

    status: int
    edu_id_value: str = msgspec.field(name="eduIDValue", default="")


class PseudonymQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which pseudonym has this eduID at the institution with this BRIN?"""

    brin_code: Filled = msgspec.field(name="brinCode")
    edu_id: Filled = msgspec.field(name="eduID")


class Pseudonym(msgspec.Struct, frozen=True):
    """The pseudonym."""

    value: str


class BatchPseudonym(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a batch: a value, or why there is none."""

    edu_id: str = msgspec.field(name="eduID")
    brin_code: str = msgspec.field(name="brinCode")
    value: str | None = None
    error: str | None = None


class SpringError(msgspec.Struct, frozen=True, kw_only=True):
    """An error in the shape that eduID's framework gives it. `timestamp` is milliseconds since 1970."""

    timestamp: int
    status: int
    error: str
    message: str
    path: str
