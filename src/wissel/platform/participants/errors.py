"""What can be wrong with a participant."""

from typing import ClassVar

from wissel.core.errors import WisselError


class ParticipantUnknown(WisselError):
    """Nobody of that name or key is registered here."""

    code: ClassVar[str] = "participant-unknown"
    status: ClassVar[int] = 403


class CardInvalid(WisselError):
    """A card cannot be registered as it is."""

    code: ClassVar[str] = "card-invalid"
    status: ClassVar[int] = 400
