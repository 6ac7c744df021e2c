"""docs/forgetting.md names every column of the platform's tables: in clear with reason and lifetime, or sealed."""

import re
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from wissel.infra.sql.migrate import read_migrations
from wissel.platform.store import MIGRATIONS

PAGE: Final = Path(__file__).parents[3] / "docs" / "forgetting.md"
COLUMN: Final = re.compile(r"`([a-z_]+\.[a-z_]+)`")
SEALED_TYPES: Final = ("BYTEA", "BLOB")


class Line(NamedTuple):
    """One line of a table of the page: its columns and what is said of them."""

    columns: tuple[str, ...]
    said: tuple[str, ...]


def schema() -> dict[str, str]:
    """Every column that the migrations make, with its type."""
    connection = sqlite3.connect(":memory:")
    for migration in read_migrations(MIGRATIONS):
        connection.executescript(migration.text)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {
        f"{table}.{row[1]}": row[2] for table in tables for row in connection.execute(f"PRAGMA table_info({table})")
    }
    connection.close()
    return found


def lines(heading: str) -> list[Line]:
    """The lines of the table under a heading of the page."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [row.strip("|").split("|") for row in section.splitlines() if row.startswith("| `")]
    return [Line(tuple(COLUMN.findall(cells[0])), tuple(cell.strip() for cell in cells[1:])) for cells in rows]


def listed(heading: str) -> list[str]:
    return [column for line in lines(heading) for column in line.columns]


def test_every_column_of_the_schema_is_listed_in_clear_or_sealed() -> None:
    missing = schema().keys() - {*listed("Columns in clear"), *listed("Sealed columns")}
    assert not missing, (
        f"docs/forgetting.md does not list {', '.join(sorted(missing))}. Seal it, or list it under 'Columns in clear' "
        "with the reason why it must be readable and how long it is there."
    )


def test_no_column_is_listed_that_the_schema_does_not_have() -> None:
    stale = {*listed("Columns in clear"), *listed("Sealed columns")} - schema().keys()
    assert not stale, f"docs/forgetting.md lists columns that are gone: {', '.join(sorted(stale))}."


def test_no_column_is_listed_twice() -> None:
    counts = Counter([*listed("Columns in clear"), *listed("Sealed columns")])
    assert [column for column, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("line", lines("Columns in clear"), ids=lambda line: line.columns[0])
def test_a_column_in_clear_has_a_reason_and_a_lifetime(line: Line) -> None:
    reason, lifetime = line.said
    assert len(reason.split()) >= 3
    assert lifetime


def test_what_is_sealed_is_bytes_and_says_under_which_key() -> None:
    types = schema()
    for line in lines("Sealed columns"):
        for column in line.columns:
            assert types[column] in SEALED_TYPES, f"{column} cannot hold ciphertext"
        assert line.said[0]


def test_the_page_names_what_is_not_covered() -> None:
    section = PAGE.read_text(encoding="utf-8").split("\n## What is not covered\n")[1].split("\n## ")[0]
    for word in ("SSD", "copy-on-write", "copies of the key store", "memory", "swap"):
        assert word in section
