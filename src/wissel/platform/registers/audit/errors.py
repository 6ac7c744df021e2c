"""What can be wrong with the audit log, each with what to do about it."""

from typing import ClassVar

from wissel.core.errors import WisselError


class AuditError(WisselError):
    """The root of this room's errors."""

    code: ClassVar[str] = "audit"
    status: ClassVar[int] = 503


class LogInconsistent(AuditError):
    """The database is behind, or does not fit, a checkpoint that is known. Read-only until it is reopened."""

    code: ClassVar[str] = "log-inconsistent"


class WrongLogKey(AuditError):
    """The log's key does not bear the name of the open log's origin."""

    code: ClassVar[str] = "log-key-wrong"
    status: ClassVar[int] = 500


class PruneRefused(AuditError):
    """Pruning without a written policy, or more than the policy allows."""

    code: ClassVar[str] = "log-prune-refused"
    status: ClassVar[int] = 409
