"""What a process cannot do."""

from typing import ClassVar

from wissel.core.errors import WisselError


class ProcessError(WisselError):
    """An event that cannot happen to its process: the engine sets the process aside and raises the alarm."""

    code: ClassVar[str] = "process-impossible"
    status: ClassVar[int] = 500
