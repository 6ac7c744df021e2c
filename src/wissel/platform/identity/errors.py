"""Why a learner's token, or what she does with it, is refused."""

from typing import ClassVar

from wissel.core.errors import WisselError


class LearnerTokenRefused(WisselError):
    """There is no token of a learner who is logged in at the calling portal."""

    code: ClassVar[str] = "learner-token-refused"
    status: ClassVar[int] = 403


class NotHers(WisselError):
    """The learner who is logged in is not the learner of this process."""

    code: ClassVar[str] = "process-not-hers"
    status: ClassVar[int] = 403
