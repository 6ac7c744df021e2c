"""The hot SQL of the platform behind one port: statements that write, functions that read.

A room never writes by itself: it hands a unit of statements to `Database.commit`, whole or not at all.
What is stored of a person is ciphertext; columns in clear are listed in docs/forgetting.md.
"""

from pathlib import Path
from typing import Final

MIGRATIONS: Final = Path(__file__).parent / "migrations"
