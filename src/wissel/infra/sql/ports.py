"""The one door to a database: a unit of statements that is committed whole, and reads of what is committed.

SQL is written once, for both dialects: `?` placeholders, BIGINT, TEXT, BYTEA, ON CONFLICT, RETURNING-free.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Protocol

from wissel.core.errors import WisselError

Value = int | str | bytes | None


class Statement(NamedTuple):
    """One SQL statement run for each of `rows`. `expect`: the rows it must touch in all, or the unit fails."""

    sql: str
    rows: Sequence[Sequence[Value]] = ((),)
    expect: int | None = None


class Conflict(WisselError):
    """A unit met a unique key that exists, or did not touch the rows it had to. Nothing of it was written."""

    code: ClassVar[str] = "store-conflict"
    status: ClassVar[int] = 409


class StoreFailed(WisselError):
    """The database could not commit. After a failed sync nothing is retried: the process stops."""

    code: ClassVar[str] = "store-failed"
    status: ClassVar[int] = 503


class Database(Protocol):
    """A database that several rooms share, each with its own tables."""

    async def commit(self, unit: Sequence[Statement]) -> None:
        """Commit `unit` in one transaction and return when it is durable (the sync may serve other units too).

        Raises Conflict (nothing of this unit is written) or StoreFailed.
        """
        ...

    async def fetch(self, sql: str, args: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        """Return the rows of a query over committed data."""
        ...
