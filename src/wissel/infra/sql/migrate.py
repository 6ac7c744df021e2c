"""Migrations: numbered SQL files, each run once, in order, and never changed afterwards."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from wissel.core.errors import WisselError
from wissel.infra.sql.ports import Database, Statement

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL)"
)


class MigrationChanged(WisselError):
    """A migration that ran here before has other bytes now, or is gone."""

    code: ClassVar[str] = "migration-changed"
    status: ClassVar[int] = 500


class Migration(NamedTuple):
    """One file: its number, its name and its statements."""

    number: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the file, hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def statements(self) -> list[Statement]:
        """The statements of the file; a semicolon at the end of a line ends one."""
        bare = "\n".join(line.split("--", 1)[0].rstrip() for line in self.text.splitlines())
        return [Statement(part.strip()) for part in bare.split(";\n") if part.strip().strip(";")]


def read_migrations(folder: Path) -> list[Migration]:
    """Read `NNNN_name.sql` files of a folder, in order of their numbers."""
    files = sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [Migration(int(file.name[:4]), file.stem[5:], file.read_text(encoding="utf-8") + "\n") for file in files]


async def migrate(database: Database, migrations: Sequence[Migration]) -> int:
    """Run what has not run yet and return how many. Raises MigrationChanged when history does not fit."""
    await database.commit([Statement(_TABLE)])
    rows = await database.fetch("SELECT number, digest FROM schema_migrations")
    done = {int(str(number)): digest for number, digest in rows}
    known = {migration.number: migration.digest for migration in migrations}
    for number, digest in done.items():
        if known.get(number) != digest:
            raise MigrationChanged(
                f"Migration {number} of this store is not the one in the code. Use the right release."
            )
    fresh = [migration for migration in migrations if migration.number not in done]
    for migration in fresh:
        mark = Statement(
            "INSERT INTO schema_migrations (number, name, digest) VALUES (?, ?, ?)",
            [(migration.number, migration.name, migration.digest)],
        )
        await database.commit([*migration.statements, mark])
    return len(fresh)
