"""Why a call did not do what was asked. `retry_after_s` None means: the same call will not do better later."""

from typing import ClassVar

from wissel.core.errors import WisselError
from wissel.infra.http.problem import Problem


class NotComposed(WisselError):
    """A message cannot be made from what was given. `field` names the argument."""

    code: ClassVar[str] = "not-composed"
    status: ClassVar[int] = 422


class Refusal(WisselError):
    """The platform said no; `problem` says why, in the platform's own words."""

    code: ClassVar[str] = "refused-by-platform"
    status: ClassVar[int] = 502

    def __init__(self, problem: Problem, retry_after_s: float | None) -> None:
        reason = f"{problem.title}: {problem.detail}" if problem.detail else problem.title
        super().__init__(f"{reason} [{problem.code or problem.status}]", field=problem.field)
        self.problem = problem
        self.retry_after_s = retry_after_s


class AnswerInvalid(WisselError):
    """An answer came that the API does not give, or an acknowledgement that does not fit what was sent."""

    code: ClassVar[str] = "answer-invalid"
    status: ClassVar[int] = 502
