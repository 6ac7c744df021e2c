"""Statements made from frozen rows, so that a column is named in one place: the row and the migration."""

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

from wissel.infra.sql.ports import Database, Statement, Value

Row = TypeVar("Row")


def columns(kind: type[Any]) -> tuple[str, ...]:
    """Return the columns of a row type, in order."""
    return tuple(field.name for field in dataclasses.fields(kind))


def insert(table: str, rows: Sequence[Any]) -> Statement:
    """Insert rows of one type. A key that exists makes the unit fail with Conflict."""
    names = columns(type(rows[0]))
    marks = ", ".join("?" * len(names))
    sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - names come from code, not from input
    return Statement(sql, [tuple(getattr(row, name) for name in names) for row in rows])


async def select(database: Database, kind: type[Row], table: str, rest: str, args: Sequence[Value] = ()) -> list[Row]:
    """Return rows of `table` as values of `kind`. `rest` is the WHERE clause and what follows it."""
    sql = f"SELECT {', '.join(columns(kind))} FROM {table} {rest}"  # noqa: S608 - names come from code, not from input
    return [kind(**dict(zip(columns(kind), row, strict=True))) for row in await database.fetch(sql, args)]
