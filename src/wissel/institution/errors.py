"""What an institution's side refuses, and what to do about it."""

from typing import ClassVar

from wissel.core.errors import WisselError


class InstitutionError(WisselError):
    """The branch of everything that goes wrong at an institution."""

    code: ClassVar[str] = "institution"
    status: ClassVar[int] = 500


class NoSuchCase(InstitutionError):
    """No such case is under way here, no such copy is kept, or the learner cannot be reached."""

    code: ClassVar[str] = "institution-case-unknown"
    status: ClassVar[int] = 404


class NoSuchFile(InstitutionError):
    """No such file is kept here: it never came, or it has ended."""

    code: ClassVar[str] = "institution-file-unknown"
    status: ClassVar[int] = 404


class NotDecidable(InstitutionError):
    """The decision cannot be taken like this. The sentence says what is missing."""

    code: ClassVar[str] = "institution-not-decidable"
    status: ClassVar[int] = 422


class SystemDown(InstitutionError):
    """The SIS or the financial system does not answer. The message is kept for later."""

    code: ClassVar[str] = "institution-system-down"
    status: ClassVar[int] = 503


class NotServed(InstitutionError):
    """The institution is not one that this connector serves."""

    code: ClassVar[str] = "institution-not-served"
    status: ClassVar[int] = 404


class SettingsWrong(InstitutionError):
    """A setting of the institution cannot be. `field` names it."""

    code: ClassVar[str] = "institution-settings"
    status: ClassVar[int] = 500
